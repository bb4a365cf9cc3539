import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CommonReading } from './common-reading.js'
import { beliefOf, nodesOf, type StatedNode } from './scene.test.fixture.js'

function readingOf(nodes: readonly StatedNode[]): number {
  return new CommonReading().of(beliefOf(nodes), nodesOf(nodes.map(() => 1)), 0)
}

describe('CommonReading', () => {
  it('is nothing in an idle pool, where nothing is shared, and where only prompts wait', () => {
    expect(readingOf([{}, {}])).toBe(0)
    expect(readingOf([{ inFlight: 10, tokensInFlight: 12_000, kvTokens: 11_000 }])).toBe(0)
    expect(readingOf([{ inFlight: 10, waiting: 10, tokensInFlight: 12_000, kvTokens: 0 }])).toBe(0)
  })

  it('is whole where ten answers read one text', () => {
    expect(readingOf([{ inFlight: 10, tokensInFlight: 70_000, kvTokens: 9000 }])).toBe(1)
  })

  it('lies between, the more is common', () => {
    const [less, more] = [0.6, 0.7].map((common) => readingOf([{ inFlight: 10, tokensInFlight: 10_000, kvTokens: 10_000 * (1 - common) }]))
    expect(less).toBeCloseTo(0.25)
    expect(more).toBeCloseTo(0.75)
  })

  it('stays within 0 and 1 whatever the counters say', () => {
    const count = fc.integer({ min: -3, max: 1_000_000 })
    fc.assert(
      fc.property(fc.array(fc.record({ inFlight: count, waiting: count, tokensInFlight: count, kvTokens: count })), (nodes) => {
        const level = readingOf(nodes)
        expect(level >= 0 && level <= 1).toBe(true)
      }),
    )
  })

  it('is looked at anew after 50 ms, not before', () => {
    const reading = new CommonReading()
    const nodes = nodesOf([1])
    expect(reading.of(beliefOf([{}]), nodes, 1000)).toBe(0)
    const shared = beliefOf([{ inFlight: 10, tokensInFlight: 70_000, kvTokens: 9000 }])
    expect(reading.of(shared, nodes, 1049)).toBe(0)
    expect(reading.of(shared, nodes, 1050)).toBe(1)
  })
})
