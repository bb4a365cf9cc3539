import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { resolveTopology } from '../../topology/index.js'
import { createStrategyRegistry } from '../index.js'
import { Life } from '../life.test.fixture.js'
import { nodesOf, recordingTrace, type StatedNode } from '../scene.test.fixture.js'
import { scorers } from './scorers.js'
import { SessionHomes } from './session-homes.js'

/** The scores of one scorer alone, by node. */
function scoresOf(
  name: string,
  nodes: readonly StatedNode[],
  { facts = {}, weights }: { facts?: object; weights?: readonly number[] } = {},
): number[] {
  const trace = recordingTrace()
  new Life('scored', { nodes, settings: { scorers: { [name]: 1 } } }).pick(nodesOf(weights ?? nodes.map(() => 1)), facts, trace)
  return trace.costs.map((terms) => Math.round(1e6 * terms[name]!) / 1e6)
}

const anyNode = fc.record({
  waiting: fc.nat(200),
  inFlight: fc.nat(400),
  kvTokens: fc.nat(900_000),
  tokensInFlight: fc.nat(9_000_000),
  cachedTokens: fc.nat(99),
  load: fc.option(
    fc.record({
      waiting: fc.nat(99),
      running: fc.nat(99),
      kvUsedRatio: fc.double({ min: 0, max: 1, noNaN: true }),
      contextTokens: fc.nat(300),
    }),
    {
      nil: undefined,
    },
  ),
})
const anyScene = fc.array(fc.tuple(anyNode, fc.integer({ min: 1, max: 9 })), { minLength: 1, maxLength: 9 })

describe('every scorer', () => {
  it.each(Object.keys(scorers))('%s scores from 0 to 1, whatever is known of the nodes', (name) => {
    fc.assert(
      fc.property(anyScene, (rows) => {
        const scores = scoresOf(
          name,
          rows.map(([node]) => node),
          { weights: rows.map(([, weight]) => weight) },
        )
        for (const score of scores) expect(score).toBeGreaterThanOrEqual(0)
        for (const score of scores) expect(score).toBeLessThanOrEqual(1)
      }),
      { numRuns: 50 },
    )
  })
})

describe('the scorers', () => {
  it('queue and running put the least at 1, the most at 0, all at 1 when equal; a poll only adds', () => {
    expect(scoresOf('queue', [{ waiting: 2 }, { waiting: 6 }, { waiting: 3 }])).toEqual([1, 0, 0.75])
    expect(scoresOf('queue', [{ waiting: 5 }, { waiting: 5 }])).toEqual([1, 1])
    expect(
      scoresOf('queue', [
        { waiting: 0, load: { waiting: 8 } },
        { waiting: 4, load: { waiting: 1 } },
      ]),
    ).toEqual([0, 1])
    expect(scoresOf('queue', [{ waiting: 8 }, { waiting: 4 }], { weights: [4, 1] })).toEqual([1, 0])
    expect(scoresOf('running', [{ inFlight: 9, waiting: 8 }, { inFlight: 3 }])).toEqual([1, 0])
  })

  it('kv-utilization is what is free by the poll, else by our own count, else one half', () => {
    const sized = { kvBlocks: 100, kvBlockTokens: 16 }
    expect(scoresOf('kv-utilization', [{ load: { kvUsedRatio: 0.2 } }, { kvTokens: 400, load: sized }, { kvTokens: 400 }])).toEqual([
      0.8, 0.75, 0.5,
    ])
  })

  it('prefix, token-load, active-requests and load-aware follow their formulas', () => {
    expect(scoresOf('prefix', [{ cachedTokens: 96 }, {}])).toEqual([0.96, 0])
    expect(scoresOf('token-load', [{ tokensInFlight: 1_048_576 }, { tokensInFlight: 9e6 }])).toEqual([0.75, 0])
    expect(scoresOf('active-requests', [{ inFlight: 0 }, { inFlight: 1 }, { inFlight: 4 }])).toEqual([1, 0.75, 0])
    expect(scoresOf('load-aware', [{ waiting: 0 }, { waiting: 32 }, { waiting: 500 }])).toEqual([0.5, 0.375, 0])
  })

  it('context-length keeps long contexts free, and refuses what does not fit', () => {
    const contexts = [160, 1_600, 100].map((contextTokens) => ({ load: { contextTokens } }))
    const [tight, wide, small, unknown] = scoresOf('context-length', [...contexts, {}], { facts: { promptTokens: 100, outputTokens: 50 } })
    expect(tight).toBeGreaterThan(wide!)
    expect([small, unknown]).toEqual([0, 0.5])
    expect(wide).toBeGreaterThan(0.3)
  })

  it('session-affinity brings a session back, and remembers no more than 10,000', () => {
    const life = new Life('scored', { settings: { scorers: { 'session-affinity': 1 } } })
    const three = nodesOf([1, 1, 1])
    life.serve(three[2]!, {}, { session: 'a' })
    expect(life.shares(three, 20, { session: 'a' })).toEqual([0, 0, 1])
    expect(Math.min(...life.shares(three, 300, { session: 'b' }))).toBeGreaterThan(0.2)
    expect(Math.min(...life.shares(three, 300))).toBeGreaterThan(0.2)
    const homes = new SessionHomes()
    for (let at = 0; at < 10_100; at += 1)
      homes.observe({ kind: 'dispatched', node: three[0]!, atMs: 0, facts: { session: `s${at}` } as never })
    expect(homes.size).toBe(10_000)
  })

  it('no-hit-lru takes turns for cold prompts alone', () => {
    const life = new Life('scored', { settings: { scorers: { 'no-hit-lru': 1 } } })
    const three = nodesOf([1, 1, 1])
    const order = Array.from({ length: 6 }, (_, at) => {
      const chosen = life.pick(three, { id: `r${at}` })
      life.serve(three[chosen]!, {}, { id: `r${at}` })
      return chosen
    })
    expect(new Set(order.slice(0, 3)).size).toBe(3)
    expect(order.slice(3)).toEqual(order.slice(0, 3))
    expect(scoresOf('no-hit-lru', [{ cachedTokens: 5 }, {}])).toEqual([0.5, 0.5])
  })
})

describe('scored', () => {
  it('takes the highest sum, and its trace has the parts of it', () => {
    fc.assert(
      fc.property(anyScene, fc.nat(), (rows, seed) => {
        const life = new Life('scored', { nodes: rows.map(([node]) => node), seed })
        const trace = recordingTrace()
        const chosen = life.pick(nodesOf(rows.map(([, weight]) => weight)), {}, trace)
        const sums = trace.costs.map((terms) => terms['queue']! + terms['kv-utilization']! + terms['prefix']!)
        expect(sums[chosen]).toBeGreaterThan(Math.max(...sums) - 1e-6)
        expect(trace.units).toEqual(['score', 'highest'])
      }),
    )
  })

  it('names the part that decided', () => {
    const trace = recordingTrace()
    new Life('scored', { nodes: [{ cachedTokens: 90 }, {}, {}] }).pick(nodesOf([1, 1, 1]), {}, trace)
    expect(trace.reasons).toEqual(['its prefix score of 0.90 is above the mean of 0.30'])
  })

  it('draws equals by weight, or takes the first, or draws by the sum', () => {
    const three = nodesOf([1, 1, 2])
    const shares = (picker: string, nodes: readonly StatedNode[]): number[] =>
      new Life('scored', { nodes, settings: { picker, scorers: { prefix: 1 } } }).shares(three, 4_000)
    expect(shares('max', [])[2]).toBeCloseTo(0.5, 1)
    expect(shares('first-of-best', [{}, { cachedTokens: 9 }, { cachedTokens: 9 }])).toEqual([0, 1, 0])
    const drawn = shares('weighted-random', [{ cachedTokens: 20 }, { cachedTokens: 60 }, { cachedTokens: 10 }])
    for (const [index, share] of [0.2, 0.6, 0.2].entries()) expect(drawn[index]).toBeCloseTo(share, 1)
    expect(shares('weighted-random', [])[2]).toBeCloseTo(0.5, 1)
  })

  it('leaves out what filters refuse, unless that would be all', () => {
    const three = nodesOf([1, 1, 1])
    const nodes = [
      { waiting: 9, cachedTokens: 95 },
      { waiting: 1, cachedTokens: 0 },
      { waiting: 0, load: { kvUsedRatio: 0.99 } },
    ]
    const shares = (filters: object): number[] =>
      new Life('scored', { nodes, settings: { filters, scorers: { 'session-affinity': 1 } } }).shares(three, 600)
    expect(shares({ maxWaiting: 5, maxKvUsed: 0.9 })).toEqual([0, 1, 0])
    expect(Math.min(...shares({ maxWaiting: -1 }))).toBeGreaterThan(0.2)
    expect(shares({ minPrefixShare: 0.8, explore: 0 })).toEqual([1, 0, 0])
    const [holder, ...others] = shares({ minPrefixShare: 0.8, explore: 0.3 })
    expect(holder).toBeGreaterThan(0.7)
    expect(Math.min(...others)).toBeGreaterThan(0.03)
  })

  it('believes no poll that is old, but its own counts', () => {
    const nodes = [{ load: { waiting: 9 }, loadAtMs: 0 }, { waiting: 1 }]
    const life = new Life('scored', { nodes, settings: { scorers: { queue: 1 } } })
    expect(life.pick(nodesOf([1, 1]))).toBe(1)
    life.clock.advance(6_000)
    expect(life.pick(nodesOf([1, 1]))).toBe(0)
  })

  it('refuses a scorer that it does not know: the file with a hint, a library too', async () => {
    const text = 'pools:\n  a:\n    strategy: {name: scored, scorers: {queu: 2}}\n    nodes: [{engine: x, attach: ["http://127.0.0.1:1"]}]'
    const engines = new Map([['x', { settings: {}, canLaunch: false }]])
    const { catalogue } = createStrategyRegistry()
    const source = { kind: 'text', file: '/srv/a/lb.yaml', shown: 'lb.yaml', format: 'yaml', text } as const
    await expect(resolveTopology(source, { engines, strategies: catalogue, env: {} })).rejects.toMatchObject({
      problems: [{ message: 'strategy scored: `queu` is not a key of scorers', suggestion: 'queue' }],
    })
    expect(() => new Life('scored', { settings: { scorers: { queu: 2 } } })).toThrow(
      expect.objectContaining({ code: 'LB_SCORER_UNKNOWN', hint: expect.stringContaining('kv-utilization') as unknown }),
    )
  })
})
