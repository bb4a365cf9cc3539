import { describe, expect, it } from 'vitest'
import { FakeClock } from '../base/index.js'
import type { RequestFacts, Strategy } from '../contracts/index.js'
import { beliefOf, factsOf, nodesOf, promptOf, recordingTrace, strategyOf } from './scene.test.fixture.js'
import { StickyTable } from './sticky-table.js'

const nodes = nodesOf([1, 1, 1, 1])

function send(strategy: Strategy, facts: RequestFacts, { candidates = nodes, atMs = 0 } = {}): number {
  const node = candidates[strategy.pick(facts, candidates)]!
  strategy.observe?.({ kind: 'dispatched', facts, node, atMs })
  return node.index
}

describe('sticky', () => {
  it('begins a conversation where the fewest requests are, and stays there when others have fewer', () => {
    const loads = [{ inFlight: 3 }, { inFlight: 1 }, { inFlight: 2 }, { inFlight: 2 }]
    const strategy = strategyOf('sticky', { belief: beliefOf(loads) })
    expect(send(strategy, factsOf({ session: 's' }))).toBe(1)
    loads[1]!.inFlight = 90
    expect(send(strategy, factsOf({ session: 's' }))).toBe(1)
    expect([2, 3]).toContain(send(strategy, factsOf({ session: 't' })))
    expect(send(strategy, factsOf())).not.toBe(1)
  })

  it('moves when its node is gone, and stays at the new one when the old comes back', () => {
    const strategy = strategyOf('sticky')
    const first = send(strategy, factsOf({ session: 's' }))
    const rest = nodes.filter((node) => node.index !== first)
    const second = send(strategy, factsOf({ session: 's' }), { candidates: rest })
    expect(second).not.toBe(first)
    for (let turn = 0; turn < 10; turn += 1) expect(send(strategy, factsOf({ session: 's' }))).toBe(second)
  })

  it('does not take another node on the same row for the old one', () => {
    const strategy = strategyOf('sticky', { belief: beliefOf([{ inFlight: 0 }, { inFlight: 1 }, { inFlight: 1 }, { inFlight: 1 }]) })
    expect(send(strategy, factsOf({ session: 's' }))).toBe(0)
    const trace = recordingTrace()
    strategy.pick(factsOf({ session: 's' }), [{ id: 'pool/other', index: 0, weight: 1 }, nodes[1]!], trace)
    expect(trace.reasons).toEqual(['its conversation begins, or begins anew'])
  })

  it('forgets a conversation that was idle for too long', () => {
    const clock = new FakeClock()
    const loads = [{ inFlight: 0 }, { inFlight: 1 }, { inFlight: 1 }, { inFlight: 1 }]
    const strategy = strategyOf('sticky', { belief: beliefOf(loads), clock, settings: { idleMs: 1000 } })
    send(strategy, factsOf({ session: 's' }), { atMs: clock.nowMs() })
    loads[0]!.inFlight = 5
    clock.advance(1000)
    expect(nodes[strategy.pick(factsOf({ session: 's' }), nodes)]!.index).toBe(0)
    clock.advance(1)
    expect(nodes[strategy.pick(factsOf({ session: 's' }), nodes)]!.index).not.toBe(0)
  })

  it('can go by the first 256 tokens of the prompt', () => {
    const strategy = strategyOf('sticky', { settings: { key: 'prefix' } })
    const first = send(strategy, promptOf([1, 2, 3, 4, 5, 6, 7]))
    for (let turn = 0; turn < 20; turn += 1) expect(send(strategy, promptOf([1, 2, 3, 4, 5, 6, 100 + turn]))).toBe(first)
  })
})

describe('the table of conversations', () => {
  it('keeps to its number, and drops those idle the longest', () => {
    const table = new StickyTable({ idleMs: 1e9, maxEntries: 3 })
    for (const [at, key] of ['a', 'b', 'c', 'a', 'd'].entries()) table.keep(key, nodes[0]!, at)
    expect(table.size).toBe(3)
    expect(['a', 'b', 'c', 'd'].map((key) => table.find(key, nodes, 5))).toEqual([0, -1, 0, 0])
  })

  it('drops the idle ones as it goes, so that a quiet day shrinks it', () => {
    const table = new StickyTable({ idleMs: 100, maxEntries: 1000 })
    for (let at = 0; at < 50; at += 1) table.keep(`k${at}`, nodes[0]!, at)
    table.keep('late', nodes[0]!, 1000)
    expect(table.size).toBe(1)
  })
})
