import { describe, expect, it } from 'vitest'
import { FakeClock, seededRandom } from '../../base/index.js'
import type { RequestRecord } from '../../contracts/index.js'
import { prefixHashes, scanRequest } from '../../dialects/index.js'
import type { Admitted } from '../admit.js'
import type { KeptPrompt } from './hot-prompt.js'
import { HotPrompts } from './hot-prompts.js'

const salt = Buffer.from('salt')

/** A text of so many bytes, of its own. */
function text(seed: string, bytes: number): string {
  return seed.repeat(Math.ceil(bytes / seed.length)).slice(0, bytes)
}

function admitted(system: string, question: string, more: { readonly pool?: string; readonly face?: string } = {}): Admitted {
  const body = Buffer.from(
    JSON.stringify({
      model: 'm',
      messages: [
        { role: 'system', content: system },
        { role: 'user', content: question },
      ],
    }),
  )
  const { face = 'openai-chat', pool = 'p' } = more
  const scan = scanRequest('openai-chat', body)
  const facts = { model: 'm', promptTokens: body.byteLength / 4, prefixHashes: prefixHashes(scan, salt) }
  return { pool: { name: pool }, face, scan, facts, neededTokens: 100, requiredLabels: undefined } as unknown as Admitted
}

/** Requests come so many milliseconds apart: each of them is looked at. */
const APART_MS = 50

class Store {
  readonly clock = new FakeClock()
  readonly kept: KeptPrompt[] = []
  readonly hot = new HotPrompts({ clock: this.clock, random: seededRandom(3), onKept: (kept) => void this.kept.push(kept) })
  private count = 0

  constructor() {
    this.hot.use(new Set(['p']))
  }

  ask(system: string, times = 1, tailBytes = 20): void {
    for (let turn = 0; turn < times; turn += 1) {
      this.clock.advance(APART_MS)
      this.hot.answered(admitted(system, text(`question ${(this.count += 1)} `, tailBytes)))
    }
  }

  /** The beginnings of what is kept, the hottest first. */
  begins(pool = 'p'): string[] {
    return this.hot.hottest(pool, () => true).map(({ body }) => systemOf(body).slice(0, 4))
  }

  get bytes(): number {
    return this.hot.hottest('p', () => true).reduce((sum, { body }) => sum + body.byteLength, 0)
  }
}

function systemOf(body: Uint8Array): string {
  return (JSON.parse(Buffer.from(body).toString()) as { messages: { content: string }[] }).messages[0]?.content ?? ''
}

describe('the store of hot prompts', () => {
  it('keeps what is asked again and again, and nothing that came once', () => {
    const store = new Store()
    for (let turn = 0; turn < 40; turn += 1) store.ask(text(`once ${turn} `, 4_000))
    store.ask(text('aaaa rules ', 4_000), 10)
    expect(store.begins()).toEqual(['aaaa'])
    expect(store.kept.length).toBeLessThan(4)
  })

  it('puts first what is asked more, and of what is asked as often the longer', () => {
    const store = new Store()
    for (let turn = 0; turn < 12; turn += 1) {
      store.ask(text('aaaa rules ', 4_000))
      store.ask(text('bbbb rules ', 4_000), 3)
      store.ask(text('cccc rules ', 12_000))
    }
    expect(store.begins().toSorted()).toEqual(['aaaa', 'bbbb', 'cccc'])
    expect(store.begins().at(-1)).toBe('aaaa')
  })

  it('keeps one body for one beginning, the shorter one where they differ much', () => {
    const store = new Store()
    const rules = text('aaaa rules ', 8_000)
    store.ask(rules, 8, 200_000)
    expect(store.hot.hottest('p', () => true)).toHaveLength(1)
    store.ask(rules, 3, 40)
    const [kept, ...more] = store.hot.hottest('p', () => true)
    expect(more).toEqual([])
    expect(kept?.body.byteLength).toBeLessThan(9_000)
    expect(systemOf(kept?.body ?? Buffer.alloc(0))).toBe(rules)
  })

  it('keeps sixteen of a hundred at most, those that are asked most, within four MiB', () => {
    const store = new Store()
    for (let round = 0; round < 12; round += 1)
      for (let prefix = 0; prefix < 100; prefix += 1) store.ask(text(`${String(prefix).padStart(4, '0')} `, 6_000), prefix < 8 ? 4 : 1)
    const begins = store.begins()
    expect(begins).toHaveLength(16)
    for (let prefix = 0; prefix < 8; prefix += 1) expect(begins).toContain(String(prefix).padStart(4, '0'))
    const large = new Store()
    for (let round = 0; round < 8; round += 1)
      for (let prefix = 0; prefix < 12; prefix += 1) large.ask(text(`${String(prefix).padStart(4, '0')} `, 600_000))
    expect(large.bytes).toBeLessThanOrEqual(4 * 1024 * 1024)
    expect(large.begins().length).toBeGreaterThan(4)
  })

  it('keeps no body longer than a MiB, none of a face without a cache, and none of a pool that is not warmed', () => {
    const store = new Store()
    store.ask(text('aaaa rules ', 1_200_000), 6)
    for (let turn = 0; turn < 8; turn += 1) {
      store.clock.advance(APART_MS)
      store.hot.answered(admitted(text('bbbb rules ', 4_000), 'q', { face: 'openai-embeddings' }))
      store.hot.answered(admitted(text('cccc rules ', 4_000), 'q', { pool: 'other' }))
    }
    expect([store.begins(), store.begins('other'), store.kept]).toEqual([[], [], []])
  })

  it('goes over to what is asked now', () => {
    const store = new Store()
    for (let prefix = 0; prefix < 16; prefix += 1) store.ask(text(`old${prefix} `, 6_000), 10)
    expect(store.begins()).toHaveLength(16)
    store.clock.advance(3_600_000)
    for (let turn = 0; turn < 20; turn += 1) for (let prefix = 0; prefix < 16; prefix += 1) store.ask(text(`new${prefix} `, 6_000))
    expect(store.begins().filter((begin) => begin.startsWith('new'))).toHaveLength(16)
  })

  it('keeps of a conversation that grows the newest body that was asked a few times', () => {
    const store = new Store()
    let talk = text('aaaa talk ', 3_000)
    for (let turn = 0; turn < 12; turn += 1) {
      store.ask(talk, 3)
      talk += text(`and then ${turn} `, 3_000)
    }
    const [kept, ...more] = store.hot.hottest('p', () => true)
    expect(more).toEqual([])
    expect(kept?.body.byteLength).toBeGreaterThan(24_000)
  })

  it('forgets a pool that is warmed no longer', () => {
    const store = new Store()
    store.ask(text('aaaa rules ', 4_000), 5)
    expect(store.begins()).toEqual(['aaaa'])
    store.hot.use(new Set())
    expect(store.begins()).toEqual([])
    store.hot.use(new Set(['p']))
    expect(store.begins()).toEqual([])
  })

  it('holds its own copy: the memory of a body is used again', () => {
    const store = new Store()
    const request = admitted(text('aaaa rules ', 4_000), 'q')
    for (let turn = 0; turn < 5; turn += 1) {
      store.clock.advance(APART_MS)
      store.hot.answered(request)
    }
    request.scan.body.fill(0)
    expect(store.begins()).toEqual(['aaaa'])
  })

  it('is fed by threads too: one tells what it kept, and all tell what was asked', () => {
    const thread = new Store()
    const main = new Store()
    const rules = text('aaaa rules ', 4_000)
    for (let turn = 0; turn < 10; turn += 1) {
      thread.ask(rules)
      main.clock.advance(APART_MS)
      const { prefixHashes: hashes } = admitted(rules, `question ${turn}`).facts
      main.hot.counted({ pool: 'p', face: 'openai-chat', outcome: 'ok', prefixHashes: hashes } as RequestRecord)
    }
    expect(main.begins()).toEqual([])
    for (const kept of structuredClone(thread.kept)) main.hot.take(kept)
    expect(main.begins()).toEqual(['aaaa'])
  })

  it('looks at each of a few requests, and at two hundred a second of many', () => {
    const store = new Store()
    let looks = 0
    const hashes = new Proxy(new Float64Array(2), {
      get: (target, key) => ((looks += key === '1' ? 1 : 0), Reflect.get(target, key) as unknown),
    })
    const record = { pool: 'p', face: 'openai-chat', outcome: 'ok', prefixHashes: hashes } as RequestRecord
    for (let turn = 0; turn < 100; turn += 1) {
      store.clock.advance(100)
      store.hot.counted(record)
    }
    expect(looks).toBe(100)
    looks = 0
    for (let turn = 0; turn < 100_000; turn += 1) {
      store.clock.advance(0.1)
      store.hot.counted(record)
    }
    expect(looks).toBeGreaterThan(1_200)
    expect(looks).toBeLessThan(3_200)
  })
})
