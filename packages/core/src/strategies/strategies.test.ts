import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FakeClock, seededRandom } from '../base/index.js'
import type { Candidate, Strategy } from '../contracts/index.js'
import { builtinStrategies, createStrategyRegistry } from './index.js'
import { beliefOf, factsOf, nodesOf } from './scene.test.fixture.js'

interface Load {
  readonly requests: number
  readonly tokens: number
}

const facts = factsOf()

function strategyOf(name: string, loads: readonly Load[] = [], seed = 1, settings: object = {}): Strategy {
  return createStrategyRegistry().create(name, {
    settings,
    random: seededRandom(seed),
    clock: new FakeClock(),
    belief: beliefOf(loads.map(({ requests, tokens }) => ({ inFlight: requests, tokensInFlight: tokens }))),
  })
}

const weight = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.double({ min: 0.01, max: 100, noNaN: true }))
const load = fc.record({ requests: fc.nat(500), tokens: fc.nat(2_000_000) })
const scene = fc
  .array(fc.tuple(weight, load), { minLength: 1, maxLength: 12 })
  .map((rows) => ({ nodes: nodesOf(rows.map(([w]) => w)), loads: rows.map(([, l]) => l) }))

const names = builtinStrategies.flatMap((plugin) => [plugin.name, ...(plugin.aliases ?? [])])

describe('every strategy', () => {
  it.each(names)('%s always returns the index of a candidate', (name) => {
    fc.assert(
      fc.property(scene, fc.nat(), fc.array(fc.nat(), { maxLength: 20 }), ({ nodes, loads }, seed, masks) => {
        const strategy = strategyOf(name, loads, seed)
        for (const mask of [0xffff, ...masks]) {
          const left = nodes.filter((node) => (mask >> node.index) & 1)
          if (left.length === 0) continue
          const index = strategy.pick(facts, left)
          expect(left[index]).toBeDefined()
        }
      }),
      { numRuns: 60 },
    )
  })

  // One stays with its provider by design; its own test says how.
  it.each(names.filter((name) => name !== 'provider-score'))(
    '%s spreads a quiet pool of equals: no node gets less than half its share',
    (name) => {
      const nodes = nodesOf([1, 1, 1, 1])
      const strategy = strategyOf(name, [], 7)
      const counts = [0, 0, 0, 0]
      for (let request = 0; request < 2000; request++) counts[strategy.pick(factsOf({ client: `client-${request}` }), nodes)]!++
      expect(Math.min(...counts)).toBeGreaterThan(250)
    },
  )
})

describe('round-robin', () => {
  it('shares exactly by weight over each cycle, from the first on', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 3 }),
        (weights, cycles) => {
          const nodes = nodesOf(weights)
          const strategy = strategyOf('round-robin')
          const total = weights.reduce((sum, w) => sum + w, 0)
          for (let cycle = 0; cycle < cycles; cycle++) {
            const counts = weights.map(() => 0)
            for (let turn = 0; turn < total; turn++) counts[strategy.pick(facts, nodes)]!++
            expect(counts).toEqual(weights)
          }
        },
      ),
    )
  })

  it('never starves a node: each is served within the cycle that its weight implies', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0.2, max: 5, noNaN: true }), { minLength: 2, maxLength: 6 }), (weights) => {
        const nodes = nodesOf(weights)
        const strategy = strategyOf('round-robin')
        const total = weights.reduce((sum, w) => sum + w, 0)
        const lastTurn = weights.map(() => 0)
        for (let turn = 1; turn <= 400; turn++) {
          lastTurn[strategy.pick(facts, nodes)] = turn
          for (const [index, w] of weights.entries()) expect(turn - lastTurn[index]!).toBeLessThanOrEqual((nodes.length * total) / w + 1)
        }
      }),
      { numRuns: 40 },
    )
  })

  it("spreads a heavy node's turns, in nginx's order", () => {
    const nodes = nodesOf([5, 1, 1])
    const strategy = strategyOf('round-robin')
    expect(Array.from({ length: 7 }, () => strategy.pick(facts, nodes))).toEqual([0, 0, 1, 0, 2, 0, 0])
  })

  it('keeps the place of a node that one retry left out', () => {
    const nodes = nodesOf([1, 1, 1])
    const strategy = strategyOf('round-robin')
    const counts = [0, 0, 0]
    for (let turn = 0; turn < 300; turn++) counts[strategy.pick(facts, nodes)]!++
    strategy.pick(facts, nodes.slice(1))
    for (let turn = 0; turn < 300; turn++) counts[strategy.pick(facts, nodes)]!++
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(2)
  })

  it('does not grow while nodes come and go', () => {
    const strategy = strategyOf('round-robin')
    for (let life = 0; life < 5000; life++) strategy.pick(facts, [{ id: `pool/n-${life}`, index: life % 4, weight: 1 }])
    expect((strategy as unknown as { remembered: number }).remembered).toBeLessThanOrEqual(20)
  })
})

describe('the least-loaded strategies', () => {
  const measures: Record<string, (load: Load, node: Candidate) => number> = {
    'least-requests': (l, node) => (l.requests + 1) / node.weight,
    'least-connections': (l, node) => (l.requests + 1) / node.weight,
    'least-tokens': (l, node) => (l.tokens + 150) / node.weight,
  }

  it.each(Object.keys(measures))('%s never picks a strictly worse node', (name) => {
    fc.assert(
      fc.property(scene, fc.nat(), ({ nodes, loads }, seed) => {
        const scores = nodes.map((node) => measures[name]!(loads[node.index]!, node))
        expect(scores[strategyOf(name, loads, seed).pick(facts, nodes)]).toBe(Math.min(...scores))
      }),
    )
  })

  it('an idle strong node is chosen before an idle weak one', () => {
    for (const name of ['least-requests', 'least-tokens']) expect(strategyOf(name).pick(facts, nodesOf([0.5, 2, 1]))).toBe(1)
  })

  it('least-tokens avoids the one long prompt that least-requests does not see', () => {
    const loads = [
      { requests: 1, tokens: 30_000 },
      { requests: 3, tokens: 900 },
    ]
    expect(strategyOf('least-tokens', loads).pick(facts, nodesOf([1, 1]))).toBe(1)
    expect(strategyOf('least-requests', loads).pick(facts, nodesOf([1, 1]))).toBe(0)
  })
})

describe('two-choices', () => {
  it('with two nodes always takes the less loaded', () => {
    const loads = [
      { requests: 9, tokens: 10 },
      { requests: 1, tokens: 9_000 },
    ]
    for (let seed = 0; seed < 50; seed++) {
      expect(strategyOf('two-choices', loads, seed).pick(facts, nodesOf([1, 1]))).toBe(0)
      expect(strategyOf('two-choices', loads, seed, { measure: 'requests' }).pick(facts, nodesOf([1, 1]))).toBe(1)
    }
  })

  it('never takes the single worst of many, and reaches all others', () => {
    const loads = Array.from({ length: 6 }, (_, index) => ({ requests: index, tokens: index * 1000 }))
    const strategy = strategyOf('two-choices', loads, 3)
    const seen = new Set(Array.from({ length: 500 }, () => strategy.pick(facts, nodesOf([1, 1, 1, 1, 1, 1]))))
    expect([...seen].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4])
  })
})
