import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FakeClock, seededRandom } from '../base/index.js'
import type { Strategy } from '../contracts/index.js'
import { createStrategyRegistry } from './index.js'
import { beliefOf, factsOf, nodesOf, type StatedNode } from './scene.test.fixture.js'

function strategyOf(name: string, nodes: readonly StatedNode[], settings: object = {}): Strategy {
  return createStrategyRegistry().create(name, { settings, random: seededRandom(3), clock: new FakeClock(), belief: beliefOf(nodes) })
}

const node: fc.Arbitrary<StatedNode> = fc
  .record({ waiting: fc.nat(5), decoding: fc.nat(60), perWaiting: fc.integer({ min: 1, max: 6000 }), cached: fc.nat(4000) })
  .map(({ waiting, decoding, perWaiting, cached }) => ({
    inFlight: waiting + decoding,
    waiting,
    prefillTokens: waiting * perWaiting,
    kvTokens: decoding * 1500,
    cachedTokens: cached,
  }))
const scene = fc.record({ nodes: fc.array(node, { minLength: 1, maxLength: 10 }), promptTokens: fc.integer({ min: 1, max: 8000 }) })

const productOf = (one: StatedNode, promptTokens: number): number =>
  ((one.prefillTokens ?? 0) + Math.max(1, promptTokens - (one.cachedTokens ?? 0))) * ((one.inFlight ?? 0) + 1)

describe('adaptive', () => {
  it("never takes a node beyond its reach of LMetric's least product, however long the queues", () => {
    fc.assert(
      fc.property(scene, ({ nodes, promptTokens }) => {
        const chosen =
          nodes[
            strategyOf('adaptive', nodes, { reach: 1.5, reachWhenSaturated: 1.5 }).pick(
              factsOf({ promptTokens }),
              nodesOf(nodes.map(() => 1)),
            )
          ]
        const least = Math.min(...nodes.map((one) => productOf(one, promptTokens)))
        expect(productOf(chosen ?? {}, promptTokens)).toBeLessThanOrEqual(1.5 * least)
      }),
    )
  })

  it('with a reach of 1 chooses what LMetric chooses', () => {
    fc.assert(
      fc.property(scene, ({ nodes, promptTokens }) => {
        const products = nodes.map((one) => productOf(one, promptTokens))
        const index = strategyOf('adaptive', nodes, { reach: 1, reachWhenSaturated: 1 }).pick(
          factsOf({ promptTokens }),
          nodesOf(nodes.map(() => 1)),
        )
        expect(products[index]).toBe(Math.min(...products))
      }),
    )
  })

  it('looks further where the engines tell of their caches themselves', () => {
    // The first has the prompt and a queue; by LMetric's product it is far behind.
    const queue = { inFlight: 30, waiting: 1, prefillTokens: 400, kvTokens: 40_000, cachedTokens: 7900 }
    const idle = { inFlight: 0, cachedTokens: 7000, slowness: 4 }
    const facts = factsOf({ promptTokens: 8000, outputTokens: 200 })
    const pick = (cacheSource: 'mirror' | 'events'): number =>
      strategyOf(
        'adaptive',
        [
          { ...queue, cacheSource },
          { ...idle, cacheSource },
        ],
        { reach: 1.5 },
      ).pick(facts, nodesOf([1, 1]))
    expect(pick('mirror')).toBe(1)
    expect(pick('events')).toBe(
      strategyOf('marginal-cost', [queue, idle], { batch: 1.6, queue: 1.3, lostWhenSaturated: 3, fullBatch: 0 }).pick(
        facts,
        nodesOf([1, 1]),
      ),
    )
  })

  describe('where answers read the same few texts', () => {
    // Twelve answers read one beginning of 6,000 tokens, which memory has once; three read another on the other node.
    const crowded = { inFlight: 12, tokensInFlight: 12 * 6100, kvTokens: 7200, cachedTokens: 6000 }
    const quiet = { inFlight: 3, tokensInFlight: 3 * 6100, kvTokens: 6300 }
    const facts = factsOf({ promptTokens: 6050, outputTokens: 60 })
    const apart = (node: StatedNode): StatedNode => ({ ...node, kvTokens: node.tokensInFlight ?? 0 })
    const pick = (nodes: readonly StatedNode[]): number => strategyOf('adaptive', nodes).pick(facts, nodesOf(nodes.map(() => 1)))

    it('makes a copy of the beginning elsewhere, before one node has all the answers', () => {
      const far = { inFlight: 300, tokensInFlight: 300 * 6100, kvTokens: 40_000, cachedTokens: 6000 }
      const some = { inFlight: 10, tokensInFlight: 10 * 6100, kvTokens: 6900 }
      expect(pick([far, some])).toBe(1)
      expect(pick([apart(far), apart(some)])).toBe(0)
    })

    it('follows the cache as ever while a copy costs more than the crowd does', () => {
      expect(pick([crowded, quiet])).toBe(0)
    })

    it('of two that hold it takes the one with fewer answers, also with a little more prefill ahead', () => {
      const nodes = [
        { ...crowded, inFlight: 40, tokensInFlight: 40 * 6100 },
        { ...crowded, inFlight: 20, waiting: 1, prefillTokens: 60, tokensInFlight: 20 * 6100 },
      ]
      expect(pick(nodes)).toBe(1)
    })

    it('says so', () => {
      const said: string[] = []
      const trace = { cost: () => undefined, unit: () => undefined, because: (reason: string) => void said.push(reason) }
      strategyOf('adaptive', [crowded, crowded, quiet]).pick(facts, nodesOf([1, 1, 1]), trace)
      expect(said.join('; ')).toContain('answers read much in common there')
    })
  })

  it('tells the cost of every node, and how many were not compared', () => {
    const said: string[] = []
    const costs: number[] = []
    const trace = {
      cost: (position: number) => void costs.push(position),
      unit: () => undefined,
      because: (reason: string) => void said.push(reason),
    }
    const nodes = [{ inFlight: 40, prefillTokens: 9000, waiting: 3 }, { inFlight: 1 }, { inFlight: 1 }]
    strategyOf('adaptive', nodes).pick(factsOf(), nodesOf([1, 1, 1]), trace)
    expect(costs).toEqual([0, 1, 2])
    expect(said.join('; ')).toContain('1 of 3 have far more prefill ahead')
  })
})
