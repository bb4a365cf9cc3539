import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RosterNode } from '../contracts/index.js'
import { openaiDialect } from '../dialects/index.js'
import { answer, good, oops, WaitingRig, saying, sides, stream } from './parted-rig.test.fixture.js'
import { chunk, delta, done, plainAnswer, role, streamHead, usage } from './scripted-gateway.test.fixture.js'

const refusal = plainAnswer(503, { error: 'busy' })

let rig: WaitingRig
beforeEach(() => void (rig = new WaitingRig()))
afterEach(() => rig.end())

/** Only the new revision is there, as where one GPU has no room for two. */
async function alone(script: Parameters<WaitingRig['fresh']>[0], more: Partial<RosterNode> = {}): Promise<void> {
  await rig.fresh(script, more)
  await rig.open()
}

describe('a request that a revision has failed while nobody trusted is there', () => {
  it.each([
    ['500', oops],
    ['404', plainAnswer(404, { error: 'no such model' })],
    ['an empty answer', answer('')],
    ['a loop', answer('and on '.repeat(60))],
  ])('waits for the old one, is not sent to the new one again, and costs nothing of the budget: %s', async (_, fault) => {
    await alone(fault)
    const asked = rig.ask({})
    await rig.waits()
    for (let turn = 0; turn < 3; turn += 1) rig.proxy?.nodesChanged()
    expect(rig.records).toEqual([])
    await rig.takenBack()
    expect(await (await asked).text()).toContain('old')
    await expect.poll(() => rig.tries()).toEqual(['p/n0 refused', 'p/n1 answered'])
    expect(rig.records[0]?.inLineMs).toBeGreaterThan(0)
    expect([rig.askedAt(0), rig.proxy?.budgets().get('p')?.spent]).toEqual([1, 0])
  })

  it('has the judge told of the failure when it happens, and once', async () => {
    await alone(oops)
    const asked = rig.ask({})
    await rig.waits()
    expect(rig.sentBack).toMatchObject([{ pool: 'p', outcome: 'engine-error', attempts: [{ node: 'p/n0', revision: 'r2', status: 500 }] }])
    await rig.takenBack()
    await asked
    await expect.poll(() => rig.records).toMatchObject([{ id: rig.sentBack[0]?.id, outcome: 'ok' }])
    expect(rig.sentBack).toHaveLength(1)
  })

  it('keeps the client of a stream company meanwhile', async () => {
    rig.heartbeatMs = 30
    await alone(oops)
    const response = await rig.ask({ stream: true })
    await rig.waits()
    await rig.takenBack()
    expect(await response.text()).toMatch(/^(?:: lb waits with you\n\n)+data: .*old.*\[DONE\]/s)
  })

  it('is answered by the new one, too, once that is promoted', async () => {
    let isWell = false
    await alone((socket) => void socket.write(isWell ? answer('new') : oops))
    const asked = rig.ask({})
    await rig.waits()
    isWell = true
    rig.split = undefined
    const [node] = rig.nodes as [RosterNode & { revision?: string }]
    delete node.revision
    rig.proxy?.nodesChanged()
    expect(await (await asked).text()).toContain('new')
    await expect.poll(() => rig.tries()).toEqual(['p/n0 refused', 'p/n0 answered'])
  })

  it('gets what it got when its patience is over', async () => {
    rig.retryRules = { ...rig.retryRules, waitMs: 60, loadingMs: 60 }
    await alone(oops)
    const response = await rig.ask({})
    expect([response.status, await response.text()]).toEqual([500, '{"error":"oops"}'])
    await expect.poll(() => rig.records).toMatchObject([{ outcome: 'engine-error', status: 500, attempts: [{ outcome: 'refused' }] }])
    expect(rig.records[0]?.inLineMs).toBeGreaterThanOrEqual(60)
  })

  it('has all of its patience, however long it has waited for the new one', async () => {
    rig.retryRules = { ...rig.retryRules, waitMs: 1_000, loadingMs: 1_000 }
    rig.wake = { withinMs: 5_000 }
    await rig.open()
    const sinceMs = performance.now()
    const asked = rig.ask({})
    await rig.waits()
    await expect.poll(() => performance.now() - sinceMs, { timeout: 5_000 }).toBeGreaterThan(1_100)
    const held: Socket[] = []
    await rig.fresh((socket) => void held.push(socket))
    rig.proxy?.nodesChanged()
    await expect.poll(() => held).toHaveLength(1)
    held[0]?.write(oops)
    await rig.waits()
    await rig.takenBack()
    expect((await asked).status).toBe(200)
  })

  it('gets what it got where no more may wait', async () => {
    rig.line = { max: 1, longestMs: 5_000 }
    await alone(oops)
    const first = rig.ask({})
    await rig.waits()
    expect((await rig.ask({})).status).toBe(500)
    await rig.takenBack()
    expect((await first).status).toBe(200)
  })

  it('is told at once what only the request can be blamed for', async () => {
    await alone(plainAnswer(400, { error: 'temperature' }))
    const response = await rig.ask({})
    expect([response.status, await response.text()]).toEqual([400, '{"error":"temperature"}'])
    expect(rig.sentBack).toEqual([])
  })

  it('does not hold up those who come later: the new one may be good for them', async () => {
    await alone((socket, request) => void socket.write(request.includes('bad') ? oops : answer('new')))
    const first = rig.ask({ user: 'bad' })
    await rig.waits()
    expect(await (await rig.ask({})).text()).toContain('new')
    await rig.takenBack()
    expect(await (await first).text()).toContain('old')
  })

  it('goes by the rules of its pool as long as they last, and then waits', async () => {
    rig.retries = 1
    rig.retryRules = { ...rig.retryRules, budget: { share: 1, floor: 10 } }
    await alone(refusal)
    const asked = rig.ask({})
    await expect.poll(() => rig.askedAt(0)).toBe(2)
    await rig.waits()
    rig.proxy?.nodesChanged()
    await rig.takenBack()
    expect((await asked).status).toBe(200)
    expect(rig.askedAt(0)).toBe(2)
    expect(rig.sentBack).toHaveLength(1)
  })

  it('does not wait for a budget that is spent, but for the old revision', async () => {
    rig.retries = 8
    await alone(refusal)
    const asked = rig.ask({})
    await rig.waits()
    await rig.takenBack()
    expect((await asked).status).toBe(200)
    expect([rig.askedAt(0), rig.proxy?.budgets().get('p')?.spent]).toEqual([1, 0])
  })

  it('waits also where the nodes of the old one are only out for a moment', async () => {
    rig.split = sides(0.5)
    await rig.fresh(oops)
    await rig.old()
    const [out] = rig.nodes.splice(1) as [RosterNode]
    rig.withheld.push({ ...out, state: 'suspect', ejected: 1 })
    await rig.open()
    const asked = rig.ask({})
    await rig.waits()
    rig.withheld.length = 0
    rig.nodes.push(out)
    rig.proxy?.nodesChanged()
    expect((await asked).headers.get('x-lb-node')).toBe('p/n1')
  })

  it('waits also where the old one is too busy for it now', async () => {
    let isFree = false
    rig.strategy = { pick: (_, nodes) => nodes.findIndex(({ id }) => id === 'p/n1' || isFree) }
    await rig.both(oops)
    const asked = rig.ask({})
    await rig.waits()
    isFree = true
    expect((await asked).headers.get('x-lb-node')).toBe('p/n0')
    expect(rig.sentBack).toEqual([])
  })

  it('waits also where all is taken back already and the old one is still on its way', async () => {
    const held: Socket[] = []
    await rig.both((socket) => void held.push(socket))
    const asked = rig.ask({})
    await expect.poll(() => held).toHaveLength(1)
    const [old] = rig.nodes.splice(0)
    rig.split = undefined
    rig.absent = [{ id: 'p/n0', pool: 'p', state: 'loading', reason: null, progress: null, mayComeBack: true }]
    rig.proxy?.nodesChanged()
    held[0]?.write(oops)
    await rig.waits()
    rig.nodes.push(old as RosterNode)
    rig.proxy?.nodesChanged()
    expect(await (await asked).text()).toContain('old')
  })

  it('is forgotten with a client that leaves', async () => {
    await alone(oops)
    const leaving = new AbortController()
    const asked = rig.ask({}, {}, leaving.signal).catch(() => undefined)
    await rig.waits()
    leaving.abort()
    await asked
    await expect.poll(() => rig.records).toMatchObject([{ outcome: 'client-gone', attempts: [{ status: 500 }] }])
  })

  it('is answered with many others when the old one is back, each of them once', async () => {
    await alone(oops)
    const asked = Array.from({ length: 40 }, () => rig.ask({}))
    await rig.waits(40)
    await rig.takenBack()
    const statuses = await Promise.all(asked.map(async (response) => (await response).status))
    expect(new Set(statuses)).toEqual(new Set([200]))
    expect([rig.askedAt(0), rig.askedAt(1), rig.sentBack.length]).toEqual([40, 40, 40])
  })
})

describe('a stream that a revision has begun and failed while nobody trusted is there', () => {
  const dialect = openaiDialect({ continuation: { text: { 'openai-chat': {} } } })
  const goesOn = (socket: Socket, request: string): void =>
    void socket.write(stream(role, delta(request.includes('assistant') ? ' and on' : 'no'), usage, done))
  /** Once; then it refuses. */
  const cut = (): ((socket: Socket) => void) => {
    let isFirst = true
    return (socket) => {
      if (isFirst) socket.end(streamHead + chunk(delta('This goes on and is then cut')))
      else socket.write(refusal)
      isFirst = false
    }
  }
  const ask = () => rig.ask({ stream: true, messages: [{ role: 'user', content: 'go' }] })

  it('waits for the old one, which goes on with it where both load the same', async () => {
    rig.sameWeights()
    rig.heartbeatMs = 30
    await alone(cut(), { dialect })
    const response = await ask()
    await rig.waits()
    expect(rig.sentBack).toMatchObject([{ outcome: 'cut', attempts: [{ outcome: 'cut', revision: 'r2' }] }])
    await rig.takenBack(goesOn, { dialect })
    expect(await response.text()).toMatch(/"This goes on.*" and on".*\[DONE\]/s)
  })

  it('does not wait for one that loads something else', async () => {
    rig.retryRules = { ...rig.retryRules, waitMs: 40, loadingMs: 40 }
    rig.weights = new Map([
      ['r1', 'a'],
      ['r2', 'b'],
    ])
    await alone(cut(), { dialect })
    expect(await (await ask()).text()).toMatch(/"This goes on.*LB_STREAM_CUT/s)
    expect(rig.sentBack).toEqual([])
  })
})

describe('whoever waits for a revision to trust', () => {
  it('is told so where somebody asks why', async () => {
    rig.retryRules = { ...rig.retryRules, waitMs: 40, loadingMs: 40 }
    await alone(oops)
    await rig.ask({}, { 'x-lb-trace': '1' })
    expect(rig.decisions.at(-1)?.leftOut).toMatchObject([{ node: 'p/n0' }])
  })

  it('has nothing to wait for where a revision is not watched', async () => {
    rig.split = sides(1, { watch: false })
    await alone(saying(oops))
    expect((await rig.ask({})).status).toBe(500)
    await expect.poll(() => rig.tries()).toEqual(['p/n0 answered'])
  })

  it('is served by the old one also where the new one is not gone yet', async () => {
    await alone(oops)
    const asked = rig.ask({})
    await rig.waits()
    await rig.old(good)
    rig.proxy?.nodesChanged()
    expect((await asked).headers.get('x-lb-node')).toBe('p/n1')
  })
})
