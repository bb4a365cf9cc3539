import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { beliefOf, factsOf, nodesOf, recordingTrace, strategyOf, type StatedNode } from './scene.test.fixture.js'

const facts = factsOf({ promptTokens: 1600 })

describe('kv-cost', () => {
  it('takes the fewest blocks to compute and to hold', () => {
    const row = fc.record({ prefillTokens: fc.nat(50_000), kvTokens: fc.nat(400_000), cachedTokens: fc.nat(1599) })
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 10 }), fc.constantFrom(0.5, 1, 3), (rows, prefillScale) => {
        const costs = rows.map(
          (r) => prefillScale * (r.prefillTokens + 1600 - r.cachedTokens) + r.kvTokens + r.prefillTokens + 1600 - r.cachedTokens,
        )
        const picked = strategyOf('kv-cost', { belief: beliefOf(rows), settings: { prefillScale } }).pick(facts, nodesOf(rows.map(() => 1)))
        expect(costs[picked]).toBe(Math.min(...costs))
      }),
    )
  })

  it('draws by temperature: the cheapest most often, near ones nearly as often, the dearest hardly ever', () => {
    const nodes: StatedNode[] = [{ kvTokens: 0 }, { kvTokens: 500 }, { kvTokens: 100_000 }]
    const strategy = strategyOf('kv-cost', { belief: beliefOf(nodes), settings: { temperature: 0.2 }, seed: 4 })
    const counts = [0, 0, 0]
    for (let request = 0; request < 4000; request += 1) counts[strategy.pick(facts, nodesOf([1, 1, 1]))]!++
    expect(counts[1]! / counts[0]!).toBeGreaterThan(0.85)
    expect(counts[2]! / 4000).toBeLessThan(0.01)
  })

  it('with a temperature still finds the only cheap one, wherever it stands', () => {
    for (const at of [0, 1, 2]) {
      const nodes = [0, 1, 2].map((index) => ({ kvTokens: index === at ? 0 : 300_000 }))
      expect(strategyOf('kv-cost', { belief: beliefOf(nodes), settings: { temperature: 0.001 } }).pick(facts, nodesOf([1, 1, 1]))).toBe(at)
    }
  })

  it('says both terms in blocks', () => {
    const trace = recordingTrace()
    strategyOf('kv-cost', { belief: beliefOf([{ kvTokens: 320, cachedTokens: 1440 }, {}]) }).pick(facts, nodesOf([1, 1]), trace)
    expect(trace.costs).toEqual([
      { prefill: 10, memory: 30 },
      { prefill: 100, memory: 100 },
    ])
    expect([trace.units, trace.reasons]).toEqual([['blocks', 'lowest'], ['it holds 90 % of the prompt']])
  })
})
