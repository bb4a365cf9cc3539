import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AbsentNode } from '../../contracts/index.js'
import { openaiDialect } from '../../dialects/index.js'
import { chunk, delta, done, lastChunk, plainAnswer, streamHead, type Rig } from '../scripted-gateway.test.fixture.js'
import { answering, busy, closed, inLine, ok, patientRig, tries, withRetryAfter } from './patient-rig.test.fixture.js'

let rig: Rig

beforeEach(() => {
  rig = patientRig()
})

afterEach(() => closed(rig))

const absent = (state: AbsentNode['state'], more: Partial<AbsentNode> = {}): AbsentNode => ({
  id: 'p/n0',
  pool: 'p',
  state,
  reason: null,
  progress: null,
  mayComeBack: true,
  ...more,
})

describe('a 429', () => {
  it('everywhere is waited out, and those who waited do not come back all at once', async () => {
    let [isOpen, atOnce, most] = [false, 0, 0]
    const firsts: number[] = []
    rig.retryRules = { ...rig.retryRules, waitMs: 10_000 }
    const script = (socket: Socket): void => {
      if (!isOpen) return void socket.write(withRetryAfter(busy, 1))
      most = Math.max(most, (atOnce += 1))
      firsts.push(atOnce)
      setTimeout(() => {
        atOnce -= 1
        socket.write(ok)
      }, 5)
    }
    for (let node = 0; node < 2; node += 1) await rig.engine(script)
    await rig.open()
    const asked = Array.from({ length: 60 }, () => rig.ask({}))
    // Two of them may be trying nodes out.
    await expect.poll(() => inLine(rig), { timeout: 10_000 }).toBeGreaterThan(57)
    const before = rig.requests.reduce((sum, seen) => sum + seen.length, 0)
    isOpen = true
    const statuses = await Promise.all(asked.map(async (answer) => (await answer).status))
    expect(new Set(statuses)).toEqual(new Set([200]))
    // No request was turned away a second time, and the first one came alone to each node.
    expect(rig.requests.reduce((sum, seen) => sum + seen.length, 0)).toBe(before + 60)
    expect(Math.max(...firsts.slice(0, 2))).toBeLessThanOrEqual(2)
    expect(most).toBeLessThan(60)
  })

  it('that ends too late is told as 503, with who asked for what and when to come back', async () => {
    rig.retryRules = { ...rig.retryRules, waitMs: 20_000 }
    for (let node = 0; node < 2; node += 1) await rig.engine(answering(withRetryAfter(busy, 30)))
    await rig.open()
    // At once: nobody can be there in time.
    const answer = await rig.ask({})
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '30'])
    const { error } = (await answer.json()) as { error: { code: string; message: string } }
    expect(error.code).toBe('LB_NODES_RESTING')
    expect(error.message).toContain('all nodes of pool p asked for a pause: p/n0 asked not to be asked for another 30 s; p/n1')
    await expect
      .poll(() => rig.records[0])
      .toMatchObject({ outcome: 'unavailable', status: 503, attempts: [{ busy: true }, { busy: true }] })
    expect(rig.records[0]?.totalMs).toBeLessThan(10_000)
  })

  it('is told as it came where nobody waits', async () => {
    rig.retryRules = { waitMs: 0, loadingMs: 0 }
    await rig.engine(answering(withRetryAfter(busy, 30)))
    await rig.open()
    expect((await rig.ask({})).status).toBe(429)
  })

  it('does not keep others from the nodes that have labels of their own', async () => {
    rig.retryRules = { ...rig.retryRules, waitMs: 60_000 }
    await rig.engine(answering(withRetryAfter(busy, 30)), { labels: { gpu: 'a' } })
    await rig.engine(answering(ok), { labels: { gpu: 'b' } })
    await rig.open()
    const leaving = new AbortController()
    const waiting = rig.ask({}, { 'x-lb-labels': 'gpu=a' }, leaving.signal).catch(() => undefined)
    await expect.poll(() => inLine(rig)).toBe(1)
    expect((await rig.ask({}, { 'x-lb-labels': 'gpu=b' })).status).toBe(200)
    expect((await rig.ask({})).status).toBe(200)
    leaving.abort()
    await waiting
  })
})

describe('when there is no node', () => {
  it('requests wait for the first that comes back, and are served in their order, some at a time', async () => {
    rig.absent = [absent('failed', { reason: 'its process ended: killed by SIGKILL' })]
    const chosen: (string | undefined)[] = []
    rig.sessionHeader = 'x-turn'
    rig.strategy = { pick: ({ session }) => chosen.push(session) * 0 }
    await rig.open()
    const asked: Promise<Response>[] = []
    for (let request = 0; request < 30; request += 1) {
      asked.push(rig.ask({}, { 'x-turn': `u${request}` }))
      await expect.poll(() => inLine(rig)).toBe(request + 1)
    }
    const turns: number[] = []
    await rig.engine((socket) => {
      turns.push(Math.round(performance.now()))
      socket.write(ok)
    })
    rig.absent = []
    rig.proxy?.nodesChanged()
    const statuses = await Promise.all(asked.map(async (answer) => (await answer).status))
    expect(new Set(statuses)).toEqual(new Set([200]))
    expect(chosen).toEqual(Array.from({ length: 30 }, (_, request) => `u${request}`))
    expect((turns.at(-1) ?? 0) - (turns[0] ?? 0)).toBeGreaterThanOrEqual(20)
    expect(rig.records.every(({ inLineMs, attempts }) => inLineMs > 0 && attempts.length === 1)).toBe(true)
  })

  it('they are refused with what each node is at, when none came', async () => {
    rig.retryRules = { ...rig.retryRules, waitMs: 80, loadingMs: 120 }
    rig.absent = [
      absent('loading', { progress: 0.45, reason: 'loading weights' }),
      absent('failed', { id: 'p/n1', reason: 'its process ended: CUDA out of memory' }),
    ]
    await rig.open()
    const answer = await rig.ask({})
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2'])
    const { error } = (await answer.json()) as { error: { code: string; message: string } }
    expect(error).toMatchObject({ code: 'LB_POOL_LOADING' })
    expect(error.message).toContain('p/n0 is loading (45 %) (loading weights); p/n1 is down (its process ended: CUDA out of memory)')
    await expect.poll(() => rig.records[0]?.inLineMs).toBeGreaterThanOrEqual(120)
    rig.absent = rig.absent.slice(1)
    expect(await (await rig.ask({})).json()).toMatchObject({ error: { code: 'LB_NO_READY_NODE' } })
  })

  it('and none will come by itself, they are refused at once', async () => {
    rig.retryRules = { ...rig.retryRules, waitMs: 60_000 }
    rig.absent = [absent('stopped', { mayComeBack: false })]
    await rig.open()
    expect(await (await rig.ask({})).json()).toMatchObject({
      error: { code: 'LB_NO_READY_NODE', message: expect.stringContaining('p/n0 is stopped') },
    })
    rig.absent = [absent('loading')]
    const asked = rig.ask({})
    await expect.poll(() => inLine(rig)).toBe(1)
    rig.absent = [absent('failed', { mayComeBack: false, reason: 'failed 5 times in 10 minutes and is not started again' })]
    rig.proxy?.nodesChanged()
    expect((await asked).status).toBe(503)
  })

  it('as many wait as may stand in line, and streams are kept company meanwhile', async () => {
    rig.line = { max: 1, longestMs: 60_000 }
    rig.heartbeatMs = 50
    rig.absent = [absent('starting')]
    await rig.open()
    const first = rig.ask({ stream: true })
    await expect.poll(() => inLine(rig)).toBe(1)
    expect((await rig.ask({})).status).toBe(503)
    await expect.poll(async () => (await first).status).toBe(200)
    await rig.engine((socket) => void socket.write(streamHead + chunk(delta('here') + done) + lastChunk))
    rig.absent = []
    rig.proxy?.nodesChanged()
    expect(await (await first).text()).toMatch(/^: lb waits with you\n\n[^]*here[^]*\[DONE\]/)
  })

  it('who leaves is forgotten', async () => {
    rig.absent = [absent('loading')]
    await rig.open()
    const leaving = new AbortController()
    const asked = rig.ask({}, {}, leaving.signal).catch(() => undefined)
    await expect.poll(() => inLine(rig)).toBe(1)
    leaving.abort()
    await asked
    await expect.poll(() => rig.records).toMatchObject([{ outcome: 'client-gone', attempts: [] }])
  })
})

describe('a node that says that it loads', () => {
  it('is left alone for a while, and is no failed try', async () => {
    let isLoaded = false
    await rig.engine(
      answering(() => (isLoaded ? ok : plainAnswer(503, { error: { message: 'Loading model' } }))),
      {
        dialect: openaiDialect({ classify: (status) => (status === 503 ? 'loading' : 'ok') }),
      },
    )
    await rig.open()
    const asked = rig.ask({})
    await expect.poll(() => inLine(rig)).toBe(1)
    isLoaded = true
    expect((await asked).status).toBe(200)
    await expect.poll(() => rig.records[0]?.attempts).toMatchObject([{ outcome: 'refused' }, { outcome: 'answered' }])
    expect(rig.records[0]?.attempts[0]?.inVain).toBeUndefined()
  })
})

describe('tiers', () => {
  it('are asked one behind the other: the next where the one before has no node left', async () => {
    await rig.engine((socket) => void socket.destroy())
    await rig.engine(answering(withRetryAfter(busy, 30)))
    await rig.engine(answering(ok), { rank: 1 })
    await rig.engine(answering(ok), { rank: 2 })
    await rig.open()
    expect((await rig.ask({}, { 'x-lb-trace': '1' })).headers.get('x-lb-node')).toBe('p/n2')
    expect(rig.decisions.at(-1)?.leftOut.map(({ node, filter }) => `${node} ${filter}`)).toEqual(['p/n0 tried', 'p/n1 tried', 'p/n3 tier'])
    await expect.poll(() => tries(rig)).toEqual(['p/n0 reset', 'p/n1 refused', 'p/n2 answered'])
    rig.nodes.shift()
    expect((await rig.ask({})).headers.get('x-lb-attempts')).toBe('1')
    await expect.poll(() => rig.records[1]?.node).toBe('p/n2')
  })
})
