import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FakeClock, seededRandom } from '../base/index.js'
import { marginalNumbers } from './marginal-settings.js'
import { MarginalTerms } from './marginal-terms.js'
import { beliefOf, factsOf, nodesOf, recordingTrace, strategyOf, type StatedNode } from './scene.test.fixture.js'

const facts = factsOf({ promptTokens: 2000, outputTokens: 200 })
const pick = (nodes: readonly StatedNode[], settings: object = {}, clock = new FakeClock()): number =>
  strategyOf('marginal-cost', { belief: beliefOf(nodes), settings, clock }).pick(facts, nodesOf(nodes.map(() => 1)))

describe('marginal-cost', () => {
  it('is the published sum, term by term, but that lost work counts as on a typical node; for a request worked out by hand', () => {
    const terms = new MarginalTerms(marginalNumbers({ profile: '8b-a100' }))
    const stated = {
      inFlight: 12,
      waiting: 2,
      prefillTokens: 3000,
      headPrefillTokens: 2000,
      headSinceMs: 940,
      kvTokens: 17_000,
      slowness: 2,
    }
    const scene = { promptTokens: 2000, outputTokens: 200, nowMs: 1000, meanPrefillTokens: 4096, meanInFlight: 10 }
    terms.weigh(scene, beliefOf([stated]).of({ index: 0 }), { cachedTokens: 1500, weight: 1, inFlight: 12, prefillTokens: 3000 })
    const [a, b, c, d, e, f] = [10.5, 0.068, 0.03, 8.2e-5, 2.9e-6, 2]
    const [L, u, Q, KVall, M] = [2000, 500, 3000, 20_000, 2048]
    const n = 12 + KVall / 20_000
    const p = f * (b * u + e * u * (L - u / 2))
    const base = a + c * 10 + d * 17_000
    const r = 1 / (b + base / (M - 10))
    const head = Math.min(0.95 * 2000, (60 * r) / f)
    const tau = f * (a + c * 13 + d * (KVall + L))
    expect(terms.wait).toBeCloseTo(f * ((Q - head) / r + base / 2), 8)
    expect(terms.prefill).toBeCloseTo(f * (u / r + e * u * (L - u / 2)), 8)
    expect(terms.answer).toBeCloseTo(0.2 * 200 * tau, 8)
    expect(terms.batch).toBeCloseTo(1.5 * n * p + n * f * b * Q, 8)
    expect(terms.lost).toBeCloseTo(((3 + 4 * 0.5 * 10) * p) / f, 8)
    expect(terms.others).toBeCloseTo(0.3 * 200 * (c + d * 2100) * f * 12, 8)
    expect(terms.full).toBe(0)
  })

  it('weighs memory over 90 % full, and a batch over its limit', () => {
    const full = (node: StatedNode): number => {
      const terms = new MarginalTerms(marginalNumbers({}))
      const scene = { promptTokens: 2000, outputTokens: 200, nowMs: 0, meanPrefillTokens: 0, meanInFlight: 0 }
      const belief = beliefOf([node]).of({ index: 0 })
      terms.weigh(scene, belief, { cachedTokens: 0, weight: 1, ...belief })
      return terms.full
    }
    expect(full({ inFlight: 200, kvTokens: 370_000 })).toBe(0)
    expect(full({ inFlight: 200, kvTokens: 400_000 })).toBeGreaterThan(0)
    expect(full({ inFlight: 200, kvTokens: 400_000, load: { kvBlocks: 100_000, kvBlockTokens: 16 } })).toBe(0)
    expect(full({ inFlight: 256 })).toBeGreaterThan(0)
  })

  it('never gets cheaper by more prefill ahead, more requests, more memory, or less in its cache', () => {
    const state = fc.record({
      inFlight: fc.integer({ min: 0, max: 400 }),
      prefillTokens: fc.nat(60_000),
      kvTokens: fc.nat(500_000),
      cachedTokens: fc.nat(1999),
      slowness: fc.double({ min: 0.2, max: 8, noNaN: true }),
    })
    const worse = fc.constantFrom('inFlight', 'prefillTokens', 'kvTokens', 'slowness', 'cachedTokens')
    fc.assert(
      fc.property(state, worse, fc.integer({ min: 1, max: 5000 }), (node, field, by) => {
        const other = { ...node, [field]: field === 'cachedTokens' ? Math.max(0, node.cachedTokens - by) : node[field] + by }
        const sums = [node, other].map((each) => {
          const trace = recordingTrace()
          strategyOf('marginal-cost', { belief: beliefOf([each]) }).pick(facts, nodesOf([1]), trace)
          return Object.values(trace.costs[0]!).reduce((sum, term) => sum + term, 0)
        })
        expect(sums[1]! - sums[0]!).toBeGreaterThanOrEqual(-1e-6 * sums[0]!)
      }),
    )
  })

  it('picks the candidate whose traced terms sum to the least', () => {
    const state = fc.record({
      inFlight: fc.nat(50),
      prefillTokens: fc.nat(30_000),
      kvTokens: fc.nat(100_000),
      cachedTokens: fc.nat(1999),
    })
    fc.assert(
      fc.property(fc.array(fc.tuple(state, fc.integer({ min: 1, max: 4 })), { minLength: 1, maxLength: 8 }), fc.nat(), (rows, seed) => {
        const trace = recordingTrace()
        const belief = beliefOf(rows.map(([node]) => node))
        const picked = strategyOf('marginal-cost', { belief, seed }).pick(facts, nodesOf(rows.map(([, weight]) => weight)), trace)
        const sums = trace.costs.map((terms) => Object.values(terms).reduce((sum, term) => sum + term, 0))
        expect(sums[picked]).toBeCloseTo(Math.min(...sums), 6)
      }),
    )
  })

  it('holds to the cache, more when every queue is long, and gives it up for a node with much less to do', () => {
    expect(pick([{ cachedTokens: 1900, inFlight: 8 }, { inFlight: 6 }])).toBe(0)
    expect(pick([{ cachedTokens: 1900, inFlight: 40, prefillTokens: 20_000 }, {}])).toBe(1)
  })

  it('prefers a fast node with a queue to a slow one that idles, as far as the queue goes', () => {
    expect(pick([{ slowness: 4 }, { inFlight: 2, kvTokens: 2000 }])).toBe(1)
    expect(pick([{ slowness: 4 }, { inFlight: 60, prefillTokens: 40_000 }])).toBe(0)
  })

  it('avoids a node that owes tokens and gives none, and trusts it again with its next token', () => {
    const clock = new FakeClock()
    clock.advance(30_000)
    const silent = { inFlight: 3, waiting: 0, cachedTokens: 1000 }
    expect(
      pick(
        [
          { ...silent, lastProgressMs: 1000 },
          { inFlight: 4, lastProgressMs: 29_980 },
        ],
        {},
        clock,
      ),
    ).toBe(1)
    expect(
      pick(
        [
          { ...silent, lastProgressMs: 29_990 },
          { inFlight: 4, lastProgressMs: 29_980 },
        ],
        {},
        clock,
      ),
    ).toBe(0)
  })

  it('counts a promised block as far as it is told', () => {
    const nodes = [{ promisedTokens: 1900, inFlight: 3 }, { inFlight: 2 }]
    expect([1, 0.9, 0].map((promised) => pick(nodes, { promised }))).toEqual([0, 0, 1])
  })

  it('takes the costs of a profile, and single numbers over it', () => {
    expect(marginalNumbers({ profile: '8b-h100', baseMs: 3 }).costs).toEqual({
      baseMs: 3,
      prefillTokenMs: 0.026,
      sequenceMs: 0.02,
      kvTokenMs: 4.9e-5,
      attendedPairMs: 1.2e-6,
    })
  })

  it('says why', () => {
    const why = (nodes: readonly StatedNode[]): string | undefined => {
      const trace = recordingTrace()
      strategyOf('marginal-cost', { belief: beliefOf(nodes), settings: { queue: 0, batch: 0 } }).pick(
        facts,
        nodesOf(nodes.map(() => 1)),
        trace,
      )
      return trace.reasons[0]
    }
    expect(why([{ cachedTokens: 1860 }, {}])).toBe('it holds 93 % of the prompt')
    expect(why([{}, {}])).toBe('by chance, among equals')
    expect(why([{}])).toBe('it is the only one')
    expect(why([{ inFlight: 1, waiting: 1, prefillTokens: 9000 }, { inFlight: 1 }])).toBe('the least prefill waits there')
  })

  it('does not depend on the order of the candidates', () => {
    const nodes = nodesOf([1, 1, 1, 1])
    const belief = beliefOf([{ inFlight: 5 }, { inFlight: 2, cachedTokens: 900 }, { prefillTokens: 5000 }, { inFlight: 9 }])
    const random = seededRandom(5)
    for (let turn = 0; turn < 30; turn += 1) {
      const order = nodes.toSorted(() => random.next() - 0.5)
      expect(order[strategyOf('marginal-cost', { belief }).pick(facts, order)]?.index).toBe(1)
    }
  })
})
