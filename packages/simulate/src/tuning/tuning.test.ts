import { describe, expect, it } from 'vitest'
import { createStrategyRegistry } from '@plimsoll/core/routing'
import { openSource, traceSource } from '../workloads/workload-source.js'
import { streamOf } from '../workloads/draws.js'
import { ratioInterval } from './ratio-interval.js'
import { searchSpace } from './search-space.js'
import { tune, type TuneOptions } from './tune.js'

const schemaOf = (name: string) => createStrategyRegistry().find(name)?.settings ?? {}

describe('a ratio with its interval', () => {
  it('is the geometric mean, and certain where all pairs agree', () => {
    const { ratio, low, high } = ratioInterval([
      [2, 1],
      [8, 4],
      [20, 10],
    ])
    expect([ratio, low, high].map((value) => Number(value.toFixed(6)))).toEqual([2, 2, 2])
  })

  it('grows with what the pairs differ by', () => {
    // Logarithms -1 and 1 around 0: s = 1.414, n = 2, t = 12.706.
    const { ratio, low, high } = ratioInterval([
      [Math.exp(1), 1],
      [Math.exp(-1), 1],
    ])
    expect(ratio).toBeCloseTo(1)
    expect(Math.log(high)).toBeCloseTo(12.706, 2)
    expect(Math.log(low)).toBeCloseTo(-12.706, 2)
  })

  it('is everything with one pair', () => {
    expect(ratioInterval([[3, 1]])).toMatchObject({ low: 0, high: Infinity })
  })

  it('holds the truth in about 95 of 100 samples', () => {
    const random = streamOf(1, 'coverage')
    let held = 0
    for (let round = 0; round < 2000; round++) {
      // Twelve uniform numbers are nearly normal.
      const noise = (): number => Array.from({ length: 12 }, () => random.next()).reduce((sum, value) => sum + value, -6)
      const { low, high } = ratioInterval(Array.from({ length: 6 }, () => [Math.exp(0.3 + 0.2 * noise()), 1] as const))
      if (low <= Math.exp(0.3) && Math.exp(0.3) <= high) held++
    }
    expect(held / 2000).toBeGreaterThan(0.93)
    expect(held / 2000).toBeLessThan(0.97)
  })
})

describe('what can be searched', () => {
  it('is every number and choice with a default, but no fact about machines', () => {
    const { keys } = searchSpace(schemaOf('marginal-cost'))
    expect(keys).toContain('batch')
    for (const fact of ['profile', 'kvTokens', 'baseMs']) expect(keys).not.toContain(fact)
    expect(searchSpace(schemaOf('round-robin')).keys).toEqual([])
    expect(searchSpace(schemaOf('marginal-cost'), ['batch', 'queue']).keys.toSorted()).toEqual(['batch', 'queue'])
  })

  it('stays inside the bounds of the schema, changes one or two settings at a time, and reaches far', () => {
    const schema = schemaOf('marginal-cost')
    const properties = schema['properties'] as Record<string, { minimum: number; maximum: number }>
    const { near } = searchSpace(schema)
    const random = streamOf(1, 'space')
    let settings: Readonly<Record<string, unknown>> = {}
    for (let round = 0; round < 500; round++) {
      const next = near(settings, random)
      const changed = Object.keys(next).filter((key) => next[key] !== settings[key])
      expect(changed.length).toBeLessThanOrEqual(2)
      for (const key of changed) {
        expect(next[key]).toBeGreaterThanOrEqual(properties[key]?.minimum ?? Number.NaN)
        expect(next[key]).toBeLessThanOrEqual(properties[key]?.maximum ?? Number.NaN)
      }
      settings = next
    }
    expect(Object.keys(settings).length).toBeGreaterThan(8)
  })
})

const options: TuneOptions = {
  source: openSource('tenant'),
  nodes: Array.from({ length: 4 }, () => ({ preset: '8b-a100' as const })),
  strategies: [{ name: 'marginal-cost', settings: { profile: '8b-a100' } }],
  baseline: { name: 'round-robin' },
  rate: 0.45,
  goal: 'both',
  tries: 3,
  judges: 4,
  seed: 1,
  requests: 800,
}

describe('tuning', () => {
  it('finds what is better than round robin, and says so with an interval', async () => {
    const result = await tune(options)
    expect(result.gains).toBe(true)
    expect(result.judged.pairs).toBe(4)
    const { ratio, low, high } = result.judged.meanE2e
    expect(ratio).toBeLessThan(1)
    expect(low).toBeLessThanOrEqual(ratio)
    expect(high).toBeGreaterThanOrEqual(ratio)
    expect(result.strategies[0]).toMatchObject({ name: 'marginal-cost', tries: 3 })
    expect(await tune(options), 'the same options give the same result').toEqual(result)
  })

  it('promises nothing where there is nothing to gain', async () => {
    const result = await tune({ ...options, strategies: [{ name: 'round-robin' }], tries: 5 })
    expect(result.gains).toBe(false)
    expect(result.judged.meanE2e).toEqual({ ratio: 1, low: 1, high: 1 })
    expect(result.strategies[0]?.tries, 'it has no settings').toBe(1)
  })

  it('judges a trace on requests that the search has not seen', async () => {
    const rows = Array.from({ length: 2400 }, (_, at) => ({ atMs: at * 40, prompt: [{ id: at + 1, tokens: 500 }], outputTokens: 20 }))
    const taken: (readonly [number, number] | undefined)[] = []
    const trace = traceSource({ name: 't', rows, requests: rows.length })
    const source: typeof trace = {
      ...trace,
      workload: (sample) => {
        taken.push(sample.part)
        return trace.workload(sample)
      },
    }
    const { judged } = await tune({ ...options, source, judges: 9, tries: 1, rate: 1 })
    expect(judged.pairs).toBe(4)
    const parts = taken.filter((part) => part !== undefined)
    expect(parts.slice(0, 4).every(([, to]) => to <= 0.5)).toBe(true)
    expect(parts.slice(4).every(([from]) => from >= 0.5)).toBe(true)
  })

  it('refuses a trace that is too short, and settings that are none', async () => {
    const source = traceSource({ name: 't', rows: [{ atMs: 0, prompt: [{ id: 1, tokens: 5 }], outputTokens: 1 }], requests: 1 })
    await expect(tune({ ...options, source })).rejects.toThrow('1 requests are too few to tune on')
    await expect(tune({ ...options, only: ['nope'] })).rejects.toThrow('marginal-cost has no setting nope')
  })

  it('says each run before it is made, and no more than planned', async () => {
    const said: [number, number][] = []
    await tune({ ...options, onRun: (done, of) => said.push([done, of]) })
    expect(said.map(([done]) => done)).toEqual(said.map((_, at) => at))
    expect(said.at(-1)?.[0]).toBeLessThan(said[0]?.[1] ?? 0)
  })
})
