import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RosterNode, WarmUpCount, WarmUpOrder, WarmUpRun } from '../../contracts/index.js'
import { prefixHashes, scanRequest } from '../../dialects/index.js'
import { plainAnswer, Rig, type Script } from '../scripted-gateway.test.fixture.js'
import type { KeptPrompt } from './index.js'

const answer = plainAnswer(200, {
  choices: [{ index: 0, message: { content: 'yes' }, finish_reason: 'length' }],
  usage: { prompt_tokens: 900, completion_tokens: 1 },
})
const answers: Script = (socket) => void socket.write(answer)
const rules = (name: string): string => `${name} rules. `.repeat(400)

let rig: Rig
beforeEach(() => {
  rig = new Rig('listen')
})
afterEach(() => rig.end())

/** A pool in which one node serves, and where these prompts are asked often, as another thread has found. */
async function serving(prompts: readonly object[], more: Partial<KeptPrompt['prompt']> = {}): Promise<void> {
  await rig.engine(answers)
  await rig.open()
  rig.proxy?.hotPrompts.use(new Set(['p']))
  for (const prompt of prompts) rig.proxy?.hotPrompts.take({ prompt: { ...hotPrompt(prompt), ...more }, hot: 6, worth: 1_000 })
}

function hotPrompt(prompt: object): KeptPrompt['prompt'] {
  const body = new Uint8Array(Buffer.from(JSON.stringify({ model: 'm', messages: [], ...prompt })))
  const hashes = prefixHashes(scanRequest('openai-chat', body), Buffer.from('salt'))
  const promptTokens = body.byteLength / 4
  return {
    pool: 'p',
    face: 'openai-chat',
    model: 'm',
    body,
    hashes,
    promptTokens,
    neededTokens: promptTokens + 100,
    requiredLabels: undefined,
  }
}

const chat = (name: string, more: object = {}): object => ({ messages: [{ role: 'system', content: rules(name) }], ...more })

/** A node that is new: it is in no list of those that take requests. */
async function newNode(script: Script, more: Partial<RosterNode> = {}): Promise<RosterNode> {
  await rig.engine(script, more)
  const node = rig.nodes.pop() as RosterNode
  rig.withheld.push(node)
  return node
}

function warm(node: RosterNode, more: Partial<WarmUpOrder> = {}): WarmUpRun | undefined {
  const signal = new AbortController().signal
  return rig.proxy?.warm({ node, prompts: 16, withinMs: 2_000, signal, onProgress: () => undefined, ...more })
}

const bodiesAt = (position: number): Record<string, unknown>[] =>
  (rig.requests[position] ?? []).map((text) => JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)) as Record<string, unknown>)

describe('a node that is new', () => {
  it('computes what is asked most for one plain token, before any client asks it', async () => {
    await serving([
      chat('a', { max_tokens: 200, n: 2 }),
      chat('b', { stream: true, stream_options: { include_usage: true }, max_completion_tokens: 9 }),
    ])
    const node = await newNode(answers, { model: 'its-own-name', authHeaders: { authorization: 'Bearer key' } })
    const told: WarmUpCount[] = []
    const run = warm(node, { onProgress: (count) => void told.push(count) })
    expect(run?.total).toBe(2)
    expect(await run?.over).toEqual({ computed: 2, failed: 0, total: 2 })
    expect(told).toEqual([
      { computed: 1, failed: 0, total: 2 },
      { computed: 2, failed: 0, total: 2 },
    ])
    const [a, b] = bodiesAt(1).toSorted((one, two) => JSON.stringify(one['messages']).localeCompare(JSON.stringify(two['messages'])))
    expect(a).toMatchObject({ model: 'its-own-name', max_tokens: 1, n: 1, messages: [{ content: rules('a') }] })
    expect(b).toMatchObject({ stream: false, stream_options: null, max_completion_tokens: 1, messages: [{ content: rules('b') }] })
    expect(b).not.toHaveProperty('max_tokens')
    expect(rig.requests[1]?.[0]).toMatch(/authorization: Bearer key/)
    expect([rig.records, rig.outcomes, rig.view.of(node).inFlight]).toEqual([[], [], 0])
  })

  it('computes what clients asked, as soon as that is known to be asked often', async () => {
    await serving([])
    const node = await newNode(answers)
    for (let turn = 0; turn < 400 && warm(node, { signal: AbortSignal.abort() }) === undefined; turn += 1)
      await (await rig.ask(chat('a', { user: `client ${turn}` }))).text()
    expect(await warm(node)?.over).toMatchObject({ computed: 1 })
    expect(bodiesAt(1).at(-1)).toMatchObject({ max_tokens: 1, messages: [{ content: rules('a') }] })
  })

  it('is believed to hold in its cache what it has computed', async () => {
    await serving([chat('a')])
    const node = await newNode(answers)
    await warm(node)?.over
    rig.nodes.push(...rig.withheld.splice(0))
    let present: number[] = []
    rig.strategy = {
      pick: (facts, candidates) => {
        present = [...rig.view.cachedTokens(facts, candidates).presentTokens]
        return 0
      },
    }
    await (await rig.ask(chat('a'))).text()
    expect(present[1]).toBeGreaterThan(100)
  })

  it('waits for nothing where nothing is asked often, or it may not see what is', async () => {
    await serving([chat('a')], { requiredLabels: [['site', 'here']] })
    expect(warm(await newNode(answers))).toBeUndefined()
    expect(warm(await newNode(answers, { labels: { site: 'there' } }))).toBeUndefined()
    expect(warm(await newNode(answers, { role: 'decode', labels: { site: 'here' } }))).toBeUndefined()
    expect(warm(await newNode(answers, { serves: ['another'], labels: { site: 'here' } }))).toBeUndefined()
    expect(warm(await newNode(answers, { contextTokens: 100, labels: { site: 'here' } }))).toBeUndefined()
    expect(warm(await newNode(answers, { pool: 'another', labels: { site: 'here' } }))).toBeUndefined()
    expect(rig.requests.slice(1).flat()).toEqual([])
    expect(await warm(await newNode(answers, { labels: { site: 'here' } }))?.over).toMatchObject({ computed: 1 })
  })

  it('is not sent what engines crash on', async () => {
    await serving([chat('a')])
    const node = await newNode((socket) => void socket.destroy())
    rig.nodes.unshift(...rig.withheld.splice(0))
    rig.retries = 0
    await (await rig.ask(chat('a'))).text()
    const broke = rig.deskWords.find((word) => word.type === 'broke')
    expect(warm(node, { signal: AbortSignal.abort() })?.total).toBe(1)
    rig.proxy?.quarantine({ type: 'known', bodies: [{ is: 'suspect', fingerprint: '', bytes: 0, ...broke?.suspect }] })
    expect(warm(node)).toBeUndefined()
  })

  it.each<[string, Script]>([
    ['refuses all', (socket) => void socket.write(plainAnswer(500, { error: 'no' }))],
    ['breaks off', (socket) => void socket.destroy()],
    ['speaks no HTTP', (socket) => void socket.end('SSH-2.0\r\n\r\n')],
  ])('comes all the same when its engine %s', async (_, script) => {
    await serving([chat('a'), chat('b'), chat('c')])
    expect(await warm(await newNode(script))?.over).toEqual({ computed: 0, failed: 3, total: 3 })
  })

  it('comes all the same when nobody listens there', async () => {
    await serving([chat('a'), chat('b')])
    rig.dead()
    const node = rig.nodes.pop() as RosterNode
    expect(await warm(node)?.over).toEqual({ computed: 0, failed: 2, total: 2 })
  })

  it('has a few of them at a time, so many at most, and only so long', async () => {
    await serving(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => chat(name)))
    const held: Socket[] = []
    const node = await newNode((socket) => void held.push(socket))
    const run = warm(node, { prompts: 6, withinMs: 500 })
    expect(run?.total).toBe(6)
    await expect.poll(() => held.length).toBe(4)
    held[0]?.write(answer)
    await expect.poll(() => held.length).toBe(5)
    expect(await run?.over).toEqual({ computed: 1, failed: 0, total: 6 })
    await expect.poll(() => rig.view.of(node).inFlight).toBe(0)
  })

  it('is let go when it is to drain', async () => {
    await serving([chat('a')])
    let hasLeft = false
    const node = await newNode((socket) => void socket.on('close', () => (hasLeft = true)))
    const cut = new AbortController()
    const run = warm(node, { signal: cut.signal })
    await expect.poll(() => rig.requests[1]?.length).toBe(1)
    cut.abort()
    expect(await run?.over).toEqual({ computed: 0, failed: 0, total: 1 })
    await expect.poll(() => hasLeft).toBe(true)
  })

  it('stops warming when it is the only one there is and a client asks it', async () => {
    await serving([chat('a'), chat('b')])
    const held: Socket[] = []
    const node = await newNode((socket) => void held.push(socket))
    const run = warm(node, { withinMs: 60_000 })
    await expect.poll(() => held.length).toBe(2)
    rig.nodes.splice(0, Infinity, { ...node, state: 'warming' })
    const asked = rig.ask(chat('c'))
    expect(await run?.over).toEqual({ computed: 0, failed: 0, total: 2 })
    await expect.poll(() => held.length).toBe(3)
    held[2]?.write(answer)
    expect((await asked).status).toBe(200)
  })
})
