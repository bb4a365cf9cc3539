import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../base/index.js'
import type { Strategy } from '../contracts/index.js'
import { chunk, delta, done, lastChunk, plainAnswer, Rig, streamHead } from './scripted-gateway.test.fixture.js'
import { WaitingLine } from './waiting-line.js'

const ok = plainAnswer(200, { choices: [{ message: { content: 'hi' } }] })

let rig: Rig
/** Requests that the engine has and has not answered. */
let held: Socket[]
let served: string[]
let isBroken: boolean

beforeEach(async () => {
  held = []
  served = []
  isBroken = false
  rig = new Rig('listen')
  // One request at a time.
  rig.strategy = {
    pick(_, nodes) {
      if (isBroken) throw new Error('a bug')
      return nodes.findIndex((node) => rig.view.of(node).inFlight === 0)
    },
  }
  await rig.engine((socket, request) => {
    served.push(/"user":"(\w+)"/.exec(request)?.[1] ?? '')
    held.push(socket)
  })
  await rig.open()
})

afterEach(async () => {
  await expect.poll(() => rig.settled).toBe(rig.opened)
  expect(rig.proxy?.inLine()).toEqual(new Map())
  await rig.close()
})

const inLine = (): number => rig.proxy?.inLine().get('p') ?? 0
const answerOne = async (): Promise<void> => {
  await expect.poll(() => held.length).toBeGreaterThan(0)
  held.shift()?.write(ok)
}

describe('requests that the strategy wants no node for', () => {
  it('are asked about the moment that something changes, by a clock that never ticks', async () => {
    let isFree = false
    const strategy: Strategy = { pick: () => (isFree ? 0 : -1) }
    const line = new WaitingLine(strategy, new FakeClock(), () => undefined)
    expect(line.observer.observe).toBeUndefined()
    let served = 0
    line.join({ kind: 'a', ask: () => (isFree && ++served > 0 ? 'served' : 'waits') }, 'waits')
    line.observer.observe?.({ kind: 'node-gone', id: 'p/n0', index: 0 })
    await Promise.resolve()
    expect([line.size, served]).toEqual([1, 0])
    isFree = true
    line.observer.observe?.({ kind: 'node-gone', id: 'p/n0', index: 0 })
    await Promise.resolve()
    expect([line.size, served]).toEqual([0, 1])
    expect(line.observer.observe).toBeUndefined()
  })

  it('wait in line and are served first come, first served', async () => {
    const answers: Promise<Response>[] = []
    for (const [index, user] of ['a', 'b', 'c', 'd'].entries()) {
      answers.push(rig.ask({ user }))
      await expect.poll(() => (index === 0 ? held.length : inLine())).toBe(index === 0 ? 1 : index)
    }
    for (const answer of answers) {
      await answerOne()
      expect((await answer).status).toBe(200)
    }
    expect(served).toEqual(['a', 'b', 'c', 'd'])
    await expect.poll(() => rig.records).toHaveLength(4)
    expect(rig.records[0]?.inLineMs).toBe(0)
    for (const { inLineMs, ttftMs, totalMs } of rig.records.slice(1)) {
      expect(inLineMs).toBeGreaterThan(0)
      expect(inLineMs).toBeLessThanOrEqual(totalMs)
      expect(ttftMs).toBeNull()
    }
  })

  it('are refused with Retry-After when they waited too long', async () => {
    rig.line = { max: 10, longestMs: 60 }
    const first = rig.ask({ user: 'a' })
    await expect.poll(() => held.length).toBe(1)
    const refused = await rig.ask({ user: 'b' })
    expect(refused.status).toBe(503)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await refused.json()).toMatchObject({ error: { code: 'LB_WAITED_TOO_LONG' } })
    await answerOne()
    expect((await first).status).toBe(200)
    expect(rig.records.find(({ errorCode }) => errorCode === 'LB_WAITED_TOO_LONG')).toMatchObject({ outcome: 'unavailable', attempts: [] })
  })

  it('are refused at once where the line is full', async () => {
    rig.line = { max: 1, longestMs: 5_000 }
    const answers = [rig.ask({ user: 'a' }), undefined, undefined]
    await expect.poll(() => held.length).toBe(1)
    answers[1] = rig.ask({ user: 'b' })
    await expect.poll(inLine).toBe(1)
    const refused = await rig.ask({ user: 'c' })
    expect([refused.status, await refused.json()]).toMatchObject([503, { error: { code: 'LB_LINE_FULL' } }])
    for (const answer of answers.slice(0, 2)) {
      await answerOne()
      expect((await answer)?.status).toBe(200)
    }
  })

  it('leave the line when their client leaves', async () => {
    const first = rig.ask({ user: 'a' })
    await expect.poll(() => held.length).toBe(1)
    const leaving = new AbortController()
    const gone = rig.ask({ user: 'b' }, {}, leaving.signal).catch((error: unknown) => error)
    await expect.poll(inLine).toBe(1)
    leaving.abort()
    await gone
    await expect.poll(inLine).toBe(0)
    await expect.poll(() => rig.records).toMatchObject([{ outcome: 'client-gone', status: 499, node: null }])
    await answerOne()
    expect((await first).status).toBe(200)
    expect(served).toEqual(['a'])
  })

  it('are kept company while they wait for a stream, and told of a failure as an event', async () => {
    rig.heartbeatMs = 50
    rig.line = { max: 10, longestMs: 400 }
    const first = rig.ask({ user: 'a' })
    await expect.poll(() => held.length).toBe(1)
    const served = rig.ask({ user: 'b', stream: true })
    await expect.poll(inLine).toBe(1)
    const late = await rig.ask({ user: 'c', stream: true })
    expect(late.status).toBe(200)
    const text = await late.text()
    expect(text).toContain(': lb waits with you\n\n')
    expect(text).toContain('LB_WAITED_TOO_LONG')
    expect(text).not.toContain('[DONE]')
    expect(await (await served).text()).toContain('LB_WAITED_TOO_LONG')
    await answerOne()
    expect((await first).status).toBe(200)
  })

  it('go on when another node joins', async () => {
    const first = rig.ask({ user: 'a' })
    await expect.poll(() => held.length).toBe(1)
    const second = rig.ask({ user: 'b' })
    await expect.poll(inLine).toBe(1)
    await rig.engine((socket) => void socket.write(streamHead + chunk(delta('x') + done) + lastChunk))
    rig.proxy?.nodesChanged()
    expect((await second).headers.get('x-lb-node')).toBe('p/n1')
    await answerOne()
    expect((await first).status).toBe(200)
  })

  it('are answered at once when no node is left', async () => {
    const first = rig.ask({ user: 'a' })
    await expect.poll(() => held.length).toBe(1)
    const second = rig.ask({ user: 'b' })
    await expect.poll(inLine).toBe(1)
    rig.nodes.length = 0
    expect([(await second).status, await (await second).json()]).toMatchObject([503, { error: { code: 'LB_NO_READY_NODE' } }])
    await answerOne()
    expect((await first).status).toBe(200)
  })

  it('wait too after a node has failed them', async () => {
    const busy = rig.ask({ user: 'a' })
    await expect.poll(() => held.length).toBe(1)
    rig.dead()
    const moved = rig.ask({ user: 'b' })
    await expect.poll(inLine).toBe(1)
    await answerOne()
    await answerOne()
    expect((await busy).status).toBe(200)
    expect((await moved).status).toBe(200)
    await expect
      .poll(() => rig.records[1]?.attempts.map(({ node, outcome }) => [node, outcome]))
      .toEqual([
        ['p/n1', 'connect-failed'],
        ['p/n0', 'answered'],
      ])
  })

  it('count as left by their client also where a node had failed them before', async () => {
    const busy = rig.ask({ user: 'a' })
    await expect.poll(() => held.length).toBe(1)
    rig.dead()
    const leaving = new AbortController()
    const gone = rig.ask({ user: 'b' }, {}, leaving.signal).catch((error: unknown) => error)
    await expect.poll(inLine).toBe(1)
    leaving.abort()
    await gone
    await expect
      .poll(() => rig.records)
      .toMatchObject([{ outcome: 'client-gone', node: 'p/n1', attempts: [{ outcome: 'connect-failed' }] }])
    await answerOne()
    expect((await busy).status).toBe(200)
  })

  it('fail with the strategy that fails while they wait', async () => {
    const busy = rig.ask({ user: 'a' })
    await expect.poll(() => held.length).toBe(1)
    const waiting = rig.ask({ user: 'b' })
    await expect.poll(inLine).toBe(1)
    isBroken = true
    expect(await (await waiting).json()).toMatchObject({ error: { code: 'LB_BUG' } })
    isBroken = false
    await answerOne()
    expect((await busy).status).toBe(200)
  })

  it('are traced once for the wait and once for the choice', async () => {
    const first = rig.ask({ user: 'a' })
    await expect.poll(() => held.length).toBe(1)
    const second = rig.ask({ user: 'b' }, { 'x-lb-trace': '1' })
    await expect.poll(inLine).toBe(1)
    await answerOne()
    await answerOne()
    await Promise.all([first, second])
    expect(rig.decisions.map(({ choice, roundRobin }) => [choice, roundRobin])).toEqual([
      [null, 'p/n0'],
      ['p/n0', 'p/n0'],
    ])
  })
})
