import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RosterNode } from '../../contracts/index.js'
import { chunk, delta, done, lastChunk, plainAnswer, Rig, role, streamHead, usage, type Script } from '../scripted-gateway.test.fixture.js'

const answer = (content: string): string =>
  plainAnswer(200, {
    choices: [{ index: 0, message: { content }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 3, completion_tokens: 7 },
  })
const stream = (text: string): string => streamHead + chunk(role + delta(text)) + chunk(usage + done) + lastChunk
const saying =
  (text: string): Script =>
  (socket) =>
    void socket.write(text)

let rig: Rig

beforeEach(() => {
  rig = new Rig('listen')
  rig.split = {
    sides: [{ revision: 'r1', share: 1 }],
    sticky: false,
    watch: false,
    shadow: { revision: 'r2', share: 1, maxInFlight: 4 },
  }
})

afterEach(() => rig.end())

async function open(shadow: Script, main = saying(answer('one two three four'))): Promise<void> {
  await rig.engine(main, { revision: 'r1' })
  await rig.engine(shadow, { revision: 'r2' })
  await rig.open()
}

const ask = async (body: object = {}) => (await rig.ask(body)).text()
const pairs = (count: number) => expect.poll(() => rig.shadows).toHaveLength(count)

describe('a copy of a request', () => {
  it('goes to the revision that answers nobody, and both answers are compared', async () => {
    await open(saying(answer('one two three five')))
    expect(await ask({ user: 'somebody' })).toContain('one two three four')
    await pairs(1)
    expect(rig.shadows[0]).toMatchObject({
      id: 'r0',
      pool: 'p',
      revision: 'r2',
      main: { node: 'p/n0', status: 200, failure: null, ttftMs: null, completionTokens: 7, quality: { chars: 18, isEmpty: false } },
      copy: { node: 'p/n1', status: 200, failure: null, ttftMs: null, completionTokens: 7, quality: { chars: 18, isEmpty: false } },
      sameText: false,
      similarity: 0.5,
    })
    expect(rig.shadows[0]?.copy.totalMs).toBeGreaterThanOrEqual(0)
    const [real, copy] = rig.requests.map(([request]) => request ?? '')
    expect(copy?.split('\r\n\r\n')[1]).toBe(real?.split('\r\n\r\n')[1])
    expect([/x-request-id: (\S+)/.exec(real ?? '')?.[1], /x-request-id: (\S+)/.exec(copy ?? '')?.[1]]).toEqual(['r0', 'r0-copy'])
  })

  it('is compared as a stream, too', async () => {
    await open(saying(stream('hello')), saying(stream('hello')))
    expect(await ask({ stream: true })).toContain('hello')
    await pairs(1)
    const { main, copy, sameText, similarity } = rig.shadows[0] ?? {}
    expect([sameText, similarity, main?.completionTokens, copy?.completionTokens]).toEqual([true, 1, 2, 2])
    expect([main?.ttftMs, copy?.ttftMs].every((ms) => typeof ms === 'number' && ms >= 0)).toBe(true)
  })

  it.each([
    ['dies', (socket: Socket) => void socket.destroy(), { status: 0 }],
    ['refuses', saying(plainAnswer(503, { error: 'busy' })), { status: 503, failure: 'it answered 503' }],
    ['asks for a pause', saying(plainAnswer(429, { error: 'busy' })), { status: 429 }],
    ['speaks no HTTP', (socket: Socket) => void socket.end('SSH-2.0\r\n\r\n'), { status: 0 }],
  ])('whose engine %s concerns nobody but whoever compares', async (_, shadow, copy) => {
    await open(shadow)
    expect(await ask()).toContain('one two')
    await pairs(1)
    expect(rig.shadows[0]).toMatchObject({
      copy: { ...copy, quality: null, failure: expect.any(String) },
      sameText: false,
      similarity: null,
    })
    expect(rig.records).toMatchObject([{ outcome: 'ok', attempts: [{ node: 'p/n0' }] }])
    expect(rig.records[0]?.attempts).toHaveLength(1)
    expect(rig.outcomes.map(({ node }) => node)).toEqual(['p/n0'])
    expect([rig.proxy?.budgets().get('p')?.spent, rig.deskWords]).toEqual([0, []])
    await ask()
    expect(rig.requests.map(({ length }) => length)).toEqual([2, 2])
  })

  it('is judged by its own body, whatever the memory of the real one is used for meanwhile', async () => {
    const held: Socket[] = []
    await open((socket) => void held.push(socket), saying(answer('{}')))
    const pad = 'x'.repeat(6_000)
    await ask({ response_format: { type: 'json_object' }, pad })
    await expect.poll(() => held).toHaveLength(1)
    for (let turn = 0; turn < 4; turn += 1) await ask({ pad: `${pad}${'"]}'.repeat(40)}` })
    held[0]?.write(answer('{"a"'))
    await pairs(1)
    expect(rig.shadows[0]?.copy).toMatchObject({ failure: null, quality: { isMalformed: true } })
    for (const socket of held.slice(1)) socket.write(answer('{}'))
    await pairs(4)
  })

  it('is made of no body that would take long to copy', async () => {
    rig.maxBodyBytes = 20_000_000
    await open(saying(answer('a')))
    await ask({ pad: 'x'.repeat(9_000_000) })
    await ask()
    await pairs(1)
    expect(rig.requests.map(({ length }) => length)).toEqual([2, 1])
  })

  it('keeps no client waiting, and is made of so many at most', async () => {
    const held: Socket[] = []
    await open((socket) => void held.push(socket))
    for (let turn = 0; turn < 6; turn += 1) expect(await ask()).toContain('one two')
    await expect.poll(() => held).toHaveLength(4)
    expect(rig.shadows).toEqual([])
    for (const socket of held) socket.write(answer('one two three four'))
    await pairs(4)
    expect(rig.shadows.every(({ sameText }) => sameText)).toBe(true)
    await ask()
    await expect.poll(() => held).toHaveLength(5)
    held[4]?.write(answer('late'))
    await pairs(5)
  })

  it('is given up with the client that leaves', async () => {
    let hasLeft = false
    const hangs = (): void => undefined
    await open((socket) => void socket.on('close', () => (hasLeft = true)), hangs)
    const leaving = new AbortController()
    const asked = rig.ask({}, {}, leaving.signal).catch(() => undefined)
    await expect.poll(() => rig.requests[1]?.length).toBe(1)
    leaving.abort()
    await asked
    await expect.poll(() => hasLeft).toBe(true)
    expect(rig.shadows).toEqual([])
  })

  it('is given up with the node that is to end', async () => {
    let hasLeft = false
    await open((socket) => void socket.on('close', () => (hasLeft = true)))
    expect(await ask()).toContain('one two')
    await expect.poll(() => rig.requests[1]?.length).toBe(1)
    rig.nodes[1] = { ...(rig.nodes[1] as RosterNode), state: 'draining' }
    rig.proxy?.nodesChanged()
    await expect.poll(() => hasLeft).toBe(true)
    expect(rig.shadows).toEqual([])
  })

  it('is none where nobody is there for it, and for no other share of the requests than wished', async () => {
    rig.split = {
      ...rig.split,
      sides: [{ revision: 'r1', share: 1 }],
      sticky: false,
      watch: false,
      shadow: { revision: 'r2', share: 0.25, maxInFlight: 100 },
    }
    await rig.engine(saying(answer('a')), { revision: 'r1' })
    await rig.open()
    for (let turn = 0; turn < 8; turn += 1) await ask()
    await rig.engine(saying(answer('a')), { revision: 'r2' })
    for (let turn = 0; turn < 200; turn += 1) await ask()
    const copies = rig.requests[1]?.length ?? 0
    expect([copies > 25, copies < 80, rig.requests[0]?.length]).toEqual([true, true, 208])
    await pairs(copies)
  })
})
