import { describe, expect, it } from 'vitest'
import { beliefOf, factsOf, nodesOf, recordingTrace, strategyOf, type StatedNode } from './scene.test.fixture.js'

const facts = factsOf({ promptTokens: 2000, outputTokens: 500 })
const pick = (nodes: readonly StatedNode[], settings: object = {}): number =>
  strategyOf('min-ttft', { belief: beliefOf(nodes), settings }).pick(facts, nodesOf(nodes.map(() => 1)))

describe('min-ttft', () => {
  it('takes the node whose wait and own prefill are the shortest together', () => {
    expect(pick([{ prefillTokens: 3000 }, { prefillTokens: 500 }])).toBe(1)
    expect(pick([{ prefillTokens: 1800, cachedTokens: 1900 }, { prefillTokens: 500 }])).toBe(0)
    expect(pick([{ prefillTokens: 3000, cachedTokens: 1900 }, { prefillTokens: 500 }])).toBe(1)
  })

  it('sees that a node is slow, and does not see how long its answer will take there', () => {
    expect(pick([{ slowness: 3 }, { prefillTokens: 500 }])).toBe(1)
    expect(pick([{ inFlight: 200, cachedTokens: 1000 }, { inFlight: 1 }])).toBe(0)
  })

  it('says both terms in ms and why', () => {
    const trace = recordingTrace()
    strategyOf('min-ttft', { belief: beliefOf([{ prefillTokens: 1000 }, {}]) }).pick(facts, nodesOf([1, 1]), trace)
    expect(trace.costs[0]!['wait']!).toBeGreaterThan(68)
    expect(trace.costs[0]!['prefill']!).toBeCloseTo(trace.costs[1]!['prefill']!, 9)
    expect(trace.reasons).toEqual(['the least prefill waits there'])
  })
})
