import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HeldRequests } from './held-requests.js'
import { Life } from './life.test.fixture.js'
import { nodesOf, recordingTrace } from './scene.test.fixture.js'

describe('push-when-idle', () => {
  it('chooses only nodes where nothing waits, the holder of the prompt first, else none', () => {
    const row = fc.record({ waiting: fc.nat(2), inFlight: fc.nat(9), cachedTokens: fc.nat(99) })
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 9 }), fc.nat(), (rows, seed) => {
        const life = new Life('push-when-idle', { nodes: rows, seed })
        const chosen = rows[life.pick(nodesOf(rows.map(() => 1)))]
        const free = rows.filter(({ waiting }) => waiting === 0)
        const most = Math.max(...free.map(({ cachedTokens }) => cachedTokens))
        const holders = free.filter(({ cachedTokens }) => cachedTokens === most)
        const least = Math.min(...holders.map(({ inFlight }) => inFlight))
        expect(free.length === 0 ? chosen : [chosen?.waiting, chosen?.cachedTokens, chosen?.inFlight]).toEqual(
          free.length === 0 ? undefined : [0, most, least],
        )
      }),
    )
  })

  it('respects weight between nodes that hold as much of the prompt', () => {
    const nodes = [{ inFlight: 5 }, { inFlight: 3 }]
    expect(new Life('push-when-idle', { nodes }).pick(nodesOf([4, 1]))).toBe(0)
    expect(new Life('push-when-idle', { nodes }).pick(nodesOf([1, 1]))).toBe(1)
  })

  it('lets each request wait no longer than its time, then sends it to the node with the fewest waiting', () => {
    const life = new Life('push-when-idle', { nodes: [{ waiting: 3 }, { waiting: 1 }], settings: { maxWaitMs: 1_000 } })
    const two = nodesOf([1, 1])
    expect(life.pick(two, { id: 'a' })).toBe(-1)
    life.clock.advance(600)
    expect([life.pick(two, { id: 'a' }), life.pick(two, { id: 'b' })]).toEqual([-1, -1])
    life.clock.advance(400)
    expect([life.pick(two, { id: 'a' }), life.pick(two, { id: 'b' })]).toEqual([1, -1])
    expect(life.pick(two, { id: 'a' })).toBe(-1)
    life.state(0, { waiting: 0 })
    expect(life.pick(two, { id: 'b' })).toBe(0)
  })

  it('never holds back with a wait of 0, and takes a longer queue where told so', () => {
    const two = nodesOf([1, 1])
    const nodes = [{ waiting: 3 }, { waiting: 1 }]
    expect(new Life('push-when-idle', { nodes, settings: { maxWaitMs: 0 } }).pick(two)).toBe(1)
    expect(new Life('push-when-idle', { nodes, settings: { maxWaiting: 1 } }).pick(two)).toBe(1)
  })

  it('says that it waits, and why it sends', () => {
    const life = new Life('push-when-idle', { nodes: [{ waiting: 3 }] })
    const trace = recordingTrace()
    life.pick(nodesOf([1]), {}, trace)
    life.state(0, { waiting: 0 })
    life.pick(nodesOf([1]), {}, trace)
    expect(trace.reasons).toEqual(['no node is free', 'nothing waits there, and it holds most of the prompt'])
  })
})

describe('held requests', () => {
  it('forget those that nobody asks about any more, and hold back no more than they can remember', () => {
    const held = new HeldRequests(1_000)
    for (let id = 0; id < 12_000; id += 1) expect(held.mayWait(`r${id}`, 0)).toBe(id < 10_000)
    expect(held.mayWait('late', 62_000)).toBe(true)
    expect(held.size).toBe(1)
  })
})
