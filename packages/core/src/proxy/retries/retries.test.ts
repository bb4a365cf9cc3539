import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { plainAnswer, type Rig } from '../scripted-gateway.test.fixture.js'
import { answering, busy, closed, inLine, ok, patientRig, tries, withRetryAfter } from './patient-rig.test.fixture.js'

const overloaded = plainAnswer(503, { error: { message: 'overloaded' } })

let rig: Rig

beforeEach(() => {
  rig = patientRig()
})

afterEach(() => closed(rig))

const spent = () => rig.proxy?.budgets().get('p')
describe('when all nodes have failed a request', () => {
  it('they are asked once more after a pause, and the answer that one gives counts', async () => {
    let asked = 0
    for (let node = 0; node < 2; node += 1) await rig.engine(answering(() => ((asked += 1) <= 3 ? overloaded : ok)))
    await rig.open()
    const answer = await rig.ask({})
    expect([answer.status, answer.headers.get('x-lb-attempts')]).toEqual([200, '4'])
    await expect.poll(() => tries(rig)).toEqual(['p/n0 refused', 'p/n1 refused', 'p/n0 refused', 'p/n1 answered'])
    expect(rig.records[0]?.attempts.map(({ inVain }) => inVain)).toEqual([true, true, true, undefined])
    expect(rig.records[0]?.inLineMs).toBeGreaterThan(0)
  })

  it('the last refusal is the answer, once the request was sent again as often as it may', async () => {
    rig.retries = 3
    await rig.engine(answering(overloaded))
    await rig.open()
    const answer = await rig.ask({})
    expect([answer.status, await answer.text()]).toMatchObject([503, expect.stringContaining('overloaded')])
    await expect.poll(() => tries(rig)?.length).toBe(4)
  })

  it('a Retry-After is waited out, as far as the longest pause goes', async () => {
    rig.retryRules = { ...rig.retryRules, pause: { firstMs: 1, longestMs: 150 } }
    let asked = 0
    await rig.engine(answering(() => ((asked += 1) === 1 ? withRetryAfter(overloaded, 20) : ok)))
    await rig.open()
    expect((await rig.ask({})).status).toBe(200)
    await expect.poll(() => rig.records[0]?.inLineMs).toBeGreaterThanOrEqual(149)
  })

  it('a node that comes in the pause is asked at once', async () => {
    rig.retryRules = { ...rig.retryRules, pause: { firstMs: 60_000, longestMs: 60_000 } }
    await rig.engine(answering(overloaded))
    await rig.open()
    const asked = rig.ask({})
    await expect.poll(() => inLine(rig)).toBe(1)
    await rig.engine(answering(ok))
    rig.proxy?.nodesChanged()
    expect((await asked).headers.get('x-lb-node')).toBe('p/n1')
  })

  it('a client that leaves in the pause is gone at once', async () => {
    rig.retryRules = { ...rig.retryRules, pause: { firstMs: 60_000, longestMs: 60_000 } }
    await rig.engine(answering(overloaded))
    await rig.open()
    const leaving = new AbortController()
    const asked = rig.ask({}, {}, leaving.signal).catch(() => undefined)
    await expect.poll(() => inLine(rig)).toBe(1)
    leaving.abort()
    await asked
    await expect.poll(() => rig.records).toMatchObject([{ outcome: 'client-gone', attempts: [{ outcome: 'refused' }] }])
    expect(inLine(rig)).toBe(0)
  })

  it("a client's mistake is told at once", async () => {
    await rig.engine(answering(plainAnswer(400, { error: { message: 'bad' } })))
    await rig.engine(answering(ok))
    await rig.open()
    expect((await rig.ask({})).status).toBe(400)
    await expect.poll(() => tries(rig)).toEqual(['p/n0 answered'])
  })

  it('the longest silence of all ends the search: nodes that let it wait that long are not asked twice', async () => {
    rig.timeouts = { firstTokenMs: 100 }
    for (let node = 0; node < 2; node += 1) await rig.engine(() => undefined)
    await rig.open()
    const answer = await rig.ask({})
    expect([answer.status, await answer.json()]).toMatchObject([504, { error: { code: 'LB_UPSTREAM_TIMEOUT' } }])
    await expect.poll(() => tries(rig)).toEqual(['p/n0 timeout', 'p/n1 timeout'])
  })

  it('none is asked later than the request may be old', async () => {
    rig.retryRules = { ...rig.retryRules, withinMs: 50, pause: { firstMs: 1, longestMs: 1 } }
    await rig.engine((socket) => void setTimeout(() => socket.write(overloaded), 60))
    await rig.engine(answering(ok))
    await rig.open()
    expect((await rig.ask({})).status).toBe(503)
    await expect.poll(() => tries(rig)).toEqual(['p/n0 refused'])
  })
})

describe('the budget', () => {
  it('moves all requests of a node that dies, however many there are', async () => {
    const dying: Socket[] = []
    rig.strategy = { pick: (_, nodes) => nodes.findIndex((node) => rig.view.of(node).inFlight < 50) }
    rig.retryRules = { ...rig.retryRules, budget: { share: 0.2, floor: 10 } }
    await rig.engine((socket) => void dying.push(socket))
    await rig.engine(answering(ok))
    await rig.open()
    const asked = Array.from({ length: 50 }, () => rig.ask({}))
    await expect.poll(() => dying, { timeout: 10_000 }).toHaveLength(50)
    for (const socket of dying) socket.destroy()
    rig.nodes.shift()
    const statuses = await Promise.all(asked.map(async (answer) => (await answer).status))
    expect(new Set(statuses)).toEqual(new Set([200]))
    // Moved in vain: none. So nothing of the budget is gone.
    await expect.poll(() => spent()?.spent).toBe(0)
  })

  it('keeps a storm on all nodes from multiplying the load', async () => {
    rig.retryRules = { waitMs: 200, loadingMs: 200, pause: { firstMs: 1, longestMs: 5 }, budget: { share: 0.2, floor: 10 } }
    for (let node = 0; node < 4; node += 1) await rig.engine(answering(overloaded))
    await rig.open()
    const count = 200
    const sinceMs = performance.now()
    const statuses = await Promise.all(Array.from({ length: count }, async () => (await rig.ask({})).status))
    // A slow machine may need more than one window for it.
    const windows = Math.ceil((performance.now() - sinceMs) / 10_000)
    expect(new Set(statuses)).toEqual(new Set([503]))
    const sent = rig.requests.reduce((sum, seen) => sum + seen.length, 0)
    expect(sent).toBeLessThanOrEqual(count * 1.2 + 10 * windows)
    expect(sent).toBeGreaterThan(count)
    expect(spent()?.waiting).toBe(0)
  }, 60_000)

  it('would not, were it without bound: the negative control', async () => {
    rig.retryRules = { waitMs: 200, loadingMs: 200, pause: { firstMs: 1, longestMs: 5 }, budget: { share: 1, floor: 1_000_000 } }
    for (let node = 0; node < 4; node += 1) await rig.engine(answering(overloaded))
    await rig.open()
    await Promise.all(Array.from({ length: 50 }, async () => (await rig.ask({})).text()))
    expect(rig.requests.reduce((sum, seen) => sum + seen.length, 0)).toBeGreaterThan(50 * 4)
  })

  it('lets those go on that wait for it, as soon as nodes are well again', async () => {
    let isWell = false
    rig.retryRules = { waitMs: 5_000, loadingMs: 5_000, pause: { firstMs: 1, longestMs: 5 }, budget: { share: 0, floor: 40 } }
    for (let node = 0; node < 2; node += 1) await rig.engine(answering(() => (isWell ? ok : overloaded)))
    await rig.open()
    const asked = Array.from({ length: 100 }, () => rig.ask({}))
    await expect.poll(() => spent()?.waiting, { timeout: 10_000 }).toBeGreaterThan(60)
    isWell = true
    const statuses = await Promise.all(asked.map(async (answer) => (await answer).status))
    expect(new Set(statuses)).toEqual(new Set([200]))
  })

  it('costs nothing where nobody has worked: nodes that cannot be reached or ask for a pause', async () => {
    rig.retryRules = { ...rig.retryRules, budget: { share: 0, floor: 0 } }
    rig.dead()
    await rig.engine(answering(busy))
    await rig.engine(answering(ok))
    await rig.open()
    const answer = await rig.ask({})
    expect([answer.status, answer.headers.get('x-lb-attempts')]).toEqual([200, '3'])
    await expect.poll(() => rig.records[0]?.attempts).toMatchObject([{ outcome: 'connect-failed' }, { outcome: 'refused', busy: true }, {}])
    expect(rig.records[0]?.attempts.some(({ inVain }) => inVain === true)).toBe(false)
  })
})
