import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Candidate } from '../contracts/index.js'
import { plainAnswer, Rig } from './scripted-gateway.test.fixture.js'

const ok = plainAnswer(200, { choices: [{ message: { content: 'hi' } }] })

let rig: Rig
/** What the strategy may choose from, each time. */
let offered: (readonly Candidate[])[]

beforeEach(() => {
  offered = []
  rig = new Rig('listen')
  rig.traceShare = 1
  rig.strategy = { pick: (_, candidates) => (offered.push(candidates), 0) }
})

afterEach(() => rig.close())

const engine = (more: Parameters<Rig['engine']>[1] = {}, answer = ok) => rig.engine((socket) => void socket.write(answer), more)
const ids = (at: number): string[] | undefined => offered[at]?.map(({ id }) => id)
const reasons = () => rig.decisions.at(-1)?.leftOut

describe('before the strategy is asked', () => {
  it('nothing is copied where every node fits', async () => {
    await engine({ contextTokens: 4_096, serves: ['m'], labels: { gpu: 'h100' } })
    await engine()
    await rig.open()
    await (await rig.ask({})).text()
    expect(offered[0]).toBe(rig.nodes)
    expect(reasons()).toEqual([])
  })

  it('nodes that are known not to serve the model are left out, adapters counting as models', async () => {
    await engine({ serves: ['base'] })
    await engine({ serves: ['base', 'm'] })
    await engine()
    await engine({ serves: ['n'], model: 'n' })
    await rig.open()
    await (await rig.ask({})).text()
    expect(ids(0)).toEqual(['p/n1', 'p/n2', 'p/n3'])
    expect(reasons()).toEqual([{ node: 'p/n0', filter: 'model', reason: 'does not serve m' }])
  })

  it('a model that no node says it serves goes to all of them: the engine knows best', async () => {
    await engine({ serves: ['a'] })
    await engine({ serves: ['b'] })
    await rig.open()
    await (await rig.ask({})).text()
    expect(ids(0)).toEqual(['p/n0', 'p/n1'])
  })

  it('nodes whose context the prompt may not fit with its answer are left out', async () => {
    await engine({ contextTokens: 1_000 })
    await engine({ contextTokens: 8_000 })
    await engine()
    await rig.open()
    await (await rig.ask({ max_tokens: 990 })).text()
    expect(ids(0)).toEqual(['p/n1', 'p/n2'])
    expect(reasons()).toMatchObject([{ node: 'p/n0', filter: 'context' }])
    expect(reasons()?.[0]?.reason).toMatch(/^takes 1000 tokens; prompt and answer may need 10\d\d$/)
  })

  it('where it fits none, the roomiest stay, and the engine says no itself', async () => {
    await engine({ contextTokens: 1_000 })
    await engine({ contextTokens: 2_000 })
    await engine({ contextTokens: 2_000 })
    await rig.open()
    await (await rig.ask({ max_tokens: 5_000 })).text()
    expect(ids(0)).toEqual(['p/n1', 'p/n2'])
  })

  it('labels that a request asks for are required', async () => {
    await engine({ labels: { gpu: 'a100', team: 'x' } })
    await engine({ labels: { gpu: 'h100', team: 'x' } })
    await engine()
    await rig.open()
    await (await rig.ask({}, { 'x-lb-labels': 'gpu=h100, team=x' })).text()
    expect(ids(0)).toEqual(['p/n1'])
    expect(reasons()?.map(({ reason }) => reason)).toEqual(['lacks the label gpu=h100', 'lacks the labels gpu=h100, team=x'])
    const none = await rig.ask({}, { 'x-lb-labels': 'gpu=b200' })
    expect(none.status).toBe(503)
    expect(await none.json()).toMatchObject({ error: { code: 'LB_NO_NODE_WITH_LABELS' } })
    expect((await rig.ask({}, { 'x-lb-labels': 'gpu' })).status).toBe(400)
  })

  it('labels that the pool requires are required of every request, beside its own', async () => {
    rig.requiredLabels = [['team', 'x']]
    await engine({ labels: { gpu: 'h100' } })
    await engine({ labels: { gpu: 'a100', team: 'x' } })
    await engine({ labels: { gpu: 'h100', team: 'x' } })
    await rig.open()
    await (await rig.ask({})).text()
    await (await rig.ask({}, { 'x-lb-labels': 'gpu=h100' })).text()
    expect([ids(0), ids(1)]).toEqual([['p/n1', 'p/n2'], ['p/n2']])
  })

  it('a node that speaks another language is left out', async () => {
    await engine()
    const [first] = rig.nodes
    if (first !== undefined) rig.nodes[0] = { ...first, dialect: { ...first.dialect, paths: {} } }
    await engine()
    await rig.open()
    await (await rig.ask({})).text()
    expect(reasons()).toEqual([{ node: 'p/n0', filter: 'face', reason: 'does not speak openai-chat' }])
  })

  it('a node that asked for a pause is left alone', async () => {
    const slow = 'HTTP/1.1 429 X\r\nretry-after: 30\r\ncontent-length: 2\r\n\r\n{}'
    await engine({}, slow)
    await engine()
    await rig.open()
    await (await rig.ask({})).text()
    await (await rig.ask({})).text()
    expect(offered.map((candidates) => candidates.map(({ id }) => id))).toEqual([['p/n0', 'p/n1'], ['p/n1'], ['p/n1']])
    expect(reasons()).toEqual([{ node: 'p/n0', filter: 'cooldown', reason: 'asked not to be asked for another 30 s' }])
    rig.nodes.length = 1
    const refused = await rig.ask({})
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '30'])
    expect(await refused.json()).toMatchObject({ error: { code: 'LB_NODES_RESTING' } })
  })

  it('each node is tried once', async () => {
    rig.dead()
    await engine()
    await rig.open()
    expect((await rig.ask({})).status).toBe(200)
    expect(rig.decisions.map(({ attempt, choice }) => [attempt, choice])).toEqual([
      [1, 'p/n0'],
      [2, 'p/n1'],
    ])
    expect(reasons()).toEqual([{ node: 'p/n0', filter: 'tried', reason: 'was tried before for this request' }])
  })

  it('a node on trial with a request, and one that starts slowly, are left out where others are there', async () => {
    await engine({ trial: -1 })
    await engine({ admission: 0.000_001 })
    await engine()
    await rig.open()
    await (await rig.ask({})).text()
    expect(ids(0)).toEqual(['p/n2'])
    expect(reasons()).toEqual([
      { node: 'p/n0', filter: 'trial', reason: 'is on trial after a failure, and has the one request that it may have' },
      { node: 'p/n1', filter: 'slow-start', reason: 'is back after a failure and takes 0 % of what it would be asked' },
    ])
    rig.nodes.length = 2
    expect((await rig.ask({})).status).toBe(200)
  })

  it('a tier whose only node is coming back is spared while a later one can answer', async () => {
    await engine({ admission: 0.000_001 })
    await engine({ rank: 1 })
    await rig.open()
    await (await rig.ask({})).text()
    expect(ids(0)).toEqual(['p/n1'])
    expect(reasons()).toEqual([
      { node: 'p/n0', filter: 'slow-start', reason: 'is back after a failure and takes 0 % of what it would be asked' },
    ])
    rig.nodes.length = 1
    expect((await rig.ask({})).status).toBe(200)
  })
})
