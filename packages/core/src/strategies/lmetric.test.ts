import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { beliefOf, factsOf, nodesOf, recordingTrace, strategyOf } from './scene.test.fixture.js'

const facts = factsOf({ promptTokens: 1000 })

describe('lmetric', () => {
  it('takes the lowest product of prefill ahead and requests beside, for the weight', () => {
    const row = fc.record({
      weight: fc.double({ min: 0.1, max: 10, noNaN: true }),
      inFlight: fc.nat(300),
      prefillTokens: fc.nat(100_000),
      cachedTokens: fc.nat(999),
    })
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 12 }), fc.nat(), (rows, seed) => {
        const scores = rows.map((r) => ((r.prefillTokens + 1000 - r.cachedTokens) * (r.inFlight + 1)) / r.weight)
        const picked = strategyOf('lmetric', { belief: beliefOf(rows), seed }).pick(facts, nodesOf(rows.map((r) => r.weight)))
        expect(scores[picked]).toBe(Math.min(...scores))
      }),
    )
  })

  it('follows the cache while its holder is free, and leaves it when the holder is busy', () => {
    const held = (inFlight: number): number =>
      strategyOf('lmetric', { belief: beliefOf([{ cachedTokens: 900, inFlight }, { inFlight: 2 }]) }).pick(facts, nodesOf([1, 1]))
    expect(held(4)).toBe(0)
    expect(held(40)).toBe(1)
  })

  it('can be told not to count what is only promised', () => {
    const belief = beliefOf([{ promisedTokens: 900, inFlight: 1 }, { inFlight: 0 }])
    expect(strategyOf('lmetric', { belief }).pick(facts, nodesOf([1, 1]))).toBe(0)
    expect(strategyOf('lmetric', { belief, settings: { cache: 'present' } }).pick(facts, nodesOf([1, 1]))).toBe(1)
  })

  it('says what it weighed, and that the cache decided only where it did', () => {
    const trace = recordingTrace()
    strategyOf('lmetric', { belief: beliefOf([{ cachedTokens: 930, prefillTokens: 50, inFlight: 1 }, { inFlight: 1 }]) }).pick(
      facts,
      nodesOf([1, 2]),
      trace,
    )
    expect(trace.costs).toEqual([
      { wait: 100, prefill: 140 },
      { wait: 0, prefill: 1000 },
    ])
    expect(trace.units).toEqual(['tokens x requests', 'lowest'])
    expect(trace.reasons).toEqual(['it holds 93 % of the prompt'])
    const alike = recordingTrace()
    strategyOf('lmetric', { belief: beliefOf([{ cachedTokens: 930 }, { cachedTokens: 930, inFlight: 9 }]) }).pick(
      facts,
      nodesOf([1, 1]),
      alike,
    )
    expect(alike.reasons).toEqual(['it has the least prefill times batch'])
  })
})
