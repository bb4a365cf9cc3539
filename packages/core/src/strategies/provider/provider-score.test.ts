import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Candidate } from '../../contracts/index.js'
import { Life } from '../life.test.fixture.js'
import { nodesOf, recordingTrace } from '../scene.test.fixture.js'
import { MinuteRing } from './minute-ring.js'
import { uptimePenalty } from './provider-terms.js'

const MINUTE_MS = 60_000
const calm = { explore: 0 }

function priced(...perMillion: (number | undefined)[]): Candidate[] {
  return nodesOf(perMillion.map(() => 1)).map((node, index) => {
    const price = perMillion[index]
    return price === undefined ? node : { ...node, price: { promptPerMillion: price, outputPerMillion: price } }
  })
}

function served(life: Life, node: Candidate, { answered = 0, failed = 0, ttftMs = 100, totalMs = 600 }): void {
  for (let at = 0; at < answered; at += 1) life.serve(node, { ttftMs, totalMs, outputTokens: 51 })
  for (let at = 0; at < failed; at += 1) life.serve(node, { outcome: 'failed', totalMs: 5 })
}

function termsOf(life: Life, candidates: readonly Candidate[], facts: object = {}): Readonly<Record<string, number>>[] {
  const trace = recordingTrace()
  life.pick(candidates, facts, trace)
  return trace.costs
}

describe('the penalty for uptime', () => {
  it('is the published one: nothing from 95 % on, .07 at 90 %, 5.61 at 50 %', () => {
    expect([100, 95].map(uptimePenalty)).toEqual([0, 0])
    expect(uptimePenalty(90)).toBeCloseTo(0.07, 2)
    expect(uptimePenalty(50)).toBeCloseTo(5.61, 2)
    expect(uptimePenalty(0)).toBe(25)
  })

  it('comes out of the requests that were served', () => {
    const life = new Life('provider-score', { settings: calm })
    const two = priced(1, 1)
    life.pick(two)
    served(life, two[0]!, { answered: 90, failed: 10 })
    served(life, two[1]!, { answered: 50, failed: 50 })
    const [nine, five] = termsOf(life, two)
    expect(nine!['penalty']).toBeCloseTo(0.07, 2)
    expect(five!['penalty']).toBeCloseTo(5.61, 2)
  })
})

describe('the hour of a provider', () => {
  it('counts the last minute ten times, the last five three times, and nothing older than an hour', () => {
    const ring = new MinuteRing()
    const uptimeAt = (minute: number): number => ring.sum(minute * MINUTE_MS).uptimePercent
    for (let at = 0; at < 10; at += 1) ring.failed(0)
    for (let at = 0; at < 10; at += 1) ring.answered(10 * MINUTE_MS, { outputTokens: 1, ttftMs: 10, totalMs: 10 })
    expect(uptimeAt(10)).toBeCloseTo((100 * 100) / 110, 6)
    expect(uptimeAt(14)).toBeCloseTo((100 * 30) / 40, 6)
    expect(uptimeAt(15)).toBeCloseTo(50, 6)
    expect(uptimeAt(60)).toBe(100)
    expect(uptimeAt(70)).toBeNaN()
  })

  it('measures tokens behind the first, and gives numbers whatever comes', () => {
    const ring = new MinuteRing()
    ring.answered(0, { outputTokens: 51, ttftMs: 100, totalMs: 600 })
    expect(ring.sum(0)).toEqual({ uptimePercent: 100, tokensPerSecond: 100, ttftMs: 100 })
    ring.answered(0, { outputTokens: 0, ttftMs: undefined, totalMs: 600 })
    expect(ring.sum(0).tokensPerSecond).toBe(100)
  })
})

describe('provider-score', () => {
  it('weighs price, uptime, throughput and latency as published', () => {
    const life = new Life('provider-score', { settings: calm })
    const two = priced(1, 2)
    life.pick(two)
    served(life, two[0]!, { answered: 10, ttftMs: 200, totalMs: 1_200 })
    served(life, two[1]!, { answered: 10, ttftMs: 100, totalMs: 350 })
    const whole = 0.6 + 0.5 + 0.05 + 0.025
    const [cheap, quick] = termsOf(life, two, { stream: true })
    expect(cheap).toMatchObject({ price: 0, uptime: 0, penalty: 0, priority: 0 })
    expect(cheap!['throughput']).toBeCloseTo((0.05 / whole) * 3, 9)
    expect(cheap!['latency']).toBeCloseTo((0.025 / whole) * 1, 9)
    expect(quick!['price']).toBeCloseTo((0.6 / whole) * 1, 9)
    expect(termsOf(life, two, { stream: false })[0]!['latency']).toBe(0)
  })

  it('takes a provider without a price for an average one, and a free one for the cheapest', () => {
    const price = (candidates: Candidate[]): (number | undefined)[] =>
      termsOf(new Life('provider-score', { settings: calm }), candidates).map((terms) => terms['price'])
    const [one, unknown, three] = price(priced(1, undefined, 3))
    expect(unknown).toBeCloseTo((one! + three!) / 2, 9)
    expect(price(priced(undefined, undefined))).toEqual([0, 0])
    const [free, paid] = price(priced(0, 3))
    expect([free, Number.isFinite(paid)]).toEqual([0, true])
  })

  it('stays with a provider for an hour, leaves it when it fails or another is clearly better', () => {
    const two = priced(1, 1.1)
    const life = new Life('provider-score', { settings: calm })
    expect(life.pick(two)).toBe(0)
    const cheaper = (price: number): Candidate[] => [two[0]!, { ...two[1]!, price: { promptPerMillion: price, outputPerMillion: price } }]
    expect(life.pick(cheaper(0.9))).toBe(0)
    expect(life.pick(cheaper(0.5))).toBe(1)
    expect(life.pick(two)).toBe(1)
    life.clock.advance(3_600_000)
    expect(life.pick(two)).toBe(0)
    served(life, two[0]!, { answered: 84, failed: 16 })
    expect(life.pick(two)).toBe(1)
  })

  it('comes back to its provider after a retry that left it out, and never to one that is gone', () => {
    const three = priced(1, 1.01, 1.02)
    const life = new Life('provider-score', { settings: calm })
    expect([life.pick(three), life.pick(three.slice(1)), life.pick(three)]).toEqual([0, 0, 0])
    life.leave(three[0]!)
    expect(life.pick(three.slice(1))).toBe(0)
    expect(life.pick([three[2]!, three[1]!])).toBe(1)
  })

  it('respects weight as priority, and tries the others now and then', () => {
    const heavy = priced(1, 1).map((node, index) => ({ ...node, weight: index === 1 ? 4 : 1 }))
    const life = new Life('provider-score')
    const [light, strong] = life.shares(heavy, 5_000)
    expect(strong).toBeGreaterThan(0.98)
    expect(light).toBeGreaterThan(0)
  })

  it('has finite scores whatever happened', () => {
    const fate = fc.record({ answered: fc.nat(5), failed: fc.nat(5), ttftMs: fc.nat(1_000), totalMs: fc.nat(9_000) })
    const row = fc.record({ price: fc.option(fc.double({ min: 0, max: 1e6, noNaN: true }), { nil: undefined }), fate })
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 6 }), (rows) => {
        const nodes = priced(...rows.map(({ price }) => price))
        const life = new Life('provider-score', { settings: calm })
        life.pick(nodes)
        for (const [index, each] of rows.entries()) served(life, nodes[index]!, each.fate)
        for (const terms of termsOf(life, nodes)) for (const part of Object.values(terms)) expect(part).toBeGreaterThanOrEqual(0)
        for (const terms of termsOf(life, nodes)) for (const part of Object.values(terms)) expect(part).toBeLessThan(100)
      }),
      { numRuns: 60 },
    )
  })
})
