import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Life } from './life.test.fixture.js'
import { nodesOf, recordingTrace } from './scene.test.fixture.js'

const two = nodesOf([1, 1])

function costs(life: Life, candidates = two): (number | undefined)[] {
  const trace = recordingTrace()
  life.pick(candidates, {}, trace)
  return trace.costs.map(({ costMs }) => costMs)
}

function seen(settings: object = {}): Life {
  const life = new Life('peak-ewma', { settings })
  life.pick(two)
  return life
}

describe('peak-ewma', () => {
  it('takes the lowest cost times requests for its weight', () => {
    const row = fc.record({ inFlight: fc.nat(50), ttftMs: fc.integer({ min: 1, max: 5_000 }), weight: fc.integer({ min: 1, max: 8 }) })
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 8 }), fc.nat(), (rows, seed) => {
        const life = new Life('peak-ewma', { nodes: rows.map(({ inFlight }) => ({ inFlight })), seed })
        const nodes = nodesOf(rows.map(({ weight }) => weight))
        life.pick(nodes)
        for (const [index, { ttftMs }] of rows.entries()) life.serve(nodes[index]!, { ttftMs })
        const trace = recordingTrace()
        const chosen = life.pick(nodes, {}, trace)
        const loads = trace.costs.map(({ load }) => load!)
        expect(loads[chosen]).toBe(Math.min(...loads))
        for (const [index, { inFlight, weight }] of rows.entries())
          expect(loads[index]).toBeCloseTo((trace.costs[index]!['costMs']! * (inFlight + 1)) / weight, 6)
      }),
    )
  })

  it('begins at the seed, jumps up to a peak at once and comes down over the decay time', () => {
    const life = seen()
    expect(costs(life)[0]).toBe(30)
    life.serve(two[0]!, { ttftMs: 2_000 })
    expect(costs(life)[0]).toBe(2_000)
    life.serve(two[0]!, { ttftMs: 100 })
    expect(costs(life)[0]).toBe(2_000)
    life.clock.advance(10_000)
    expect(costs(life)[0]).toBeCloseTo(2_000 / Math.E, 6)
    life.serve(two[0]!, { ttftMs: 100 })
    expect(costs(life)[0]).toBeCloseTo(2_000 / Math.E + 100 * (1 - 1 / Math.E), 6)
  })

  it('falls while nothing is measured, and never below 1 ms', () => {
    const life = seen()
    life.serve(two[0]!, { ttftMs: 50_000 })
    life.clock.advance(3_600_000)
    expect(costs(life)).toEqual([1, 1])
  })

  it('counts a failure as slow, however quickly it came', () => {
    const life = seen()
    life.serve(two[0]!, { outcome: 'failed', totalMs: 1 })
    expect(costs(life)[0]).toBe(5_000)
    expect(life.pick(two)).toBe(1)
  })

  it('compares two nodes that it draws by chance, where told so', () => {
    const nodes = nodesOf([1, 1, 1, 1])
    const life = new Life('peak-ewma', { settings: { among: 'two' } })
    life.pick(nodes)
    for (const [index, node] of nodes.entries()) life.serve(node, { ttftMs: 1_000 * (index + 1) })
    const chosen = Array.from({ length: 600 }, () => life.pick(nodes))
    const times = nodes.map((_, index) => chosen.filter((each) => each === index).length)
    // Of six pairs the best node wins three, the next two, the third one; the worst wins none.
    expect(times.map((count) => Math.round(count / 100))).toEqual([3, 2, 1, 0])
    const trace = recordingTrace()
    life.pick(nodes, {}, trace)
    expect(trace.reasons).toEqual(['its recent time to the first token times its requests is the least of two nodes drawn by chance'])
    expect(life.pick(nodes.slice(0, 1))).toBe(0)
  })

  it('does not take the length of an answer for slowness', () => {
    const life = seen()
    life.serve(two[0]!, { ttftMs: 20, totalMs: 60_000 })
    expect(costs(life)[0]).toBe(30)
  })

  it('measures for prompt tokens that were not cached, where told so', () => {
    const life = seen({ per: 'uncached-token' })
    life.state(1, { cachedTokens: 3_000 })
    life.serve(two[0]!, { ttftMs: 400 }, { promptTokens: 4_000 })
    life.serve(two[1]!, { ttftMs: 400 }, { promptTokens: 4_000 })
    expect(costs(life)).toEqual([100, 400])
    life.serve(two[0]!, { ttftMs: 64 }, { promptTokens: 1 })
    expect(costs(life)[0]).toBe(1_000)
  })

  it('forgets a process that is gone', () => {
    const life = seen()
    life.serve(two[0]!, { ttftMs: 2_000 })
    expect(costs(life, [{ ...two[0]!, incarnation: 1 }, two[1]!])[0]).toBe(30)
    life.serve(two[1]!, { ttftMs: 2_000 })
    life.leave(two[1]!)
    expect(costs(life)[1]).toBe(30)
  })
})
