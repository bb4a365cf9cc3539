import { describe, expect, it } from 'vitest'
import { randomShape } from './random-shape.js'
import { meansOf } from './shape.js'
import { blindSource } from './workload-source.js'

const seeds = Array.from({ length: 60 }, (_, at) => 1000 + 7 * at)

describe('workloads that nobody has tuned on', () => {
  it('are each another one, and the same for the same seed', () => {
    const drawn = seeds.map((seed) => JSON.stringify(randomShape(seed)))
    expect(new Set(drawn).size).toBe(seeds.length)
    expect(seeds.map((seed) => JSON.stringify(randomShape(seed)))).toEqual(drawn)
  })

  it('cover sharing, turns, bursts, levels and machines', () => {
    const drawn = seeds.map(randomShape)
    const some = (holds: (each: ReturnType<typeof randomShape>) => boolean): number => drawn.filter(holds).length / drawn.length
    expect(some(({ shape }) => shape.turns.max === 1)).toBeGreaterThan(0.2)
    expect(some(({ shape }) => shape.turns.mean > 3)).toBeGreaterThan(0.15)
    expect(some(({ shape }) => shape.heads.tokens.mean > 2000)).toBeGreaterThan(0.1)
    expect(some(({ shape }) => shape.heads.tokens.mean < 200)).toBeGreaterThan(0.1)
    expect(some(({ shape }) => shape.arrivals.phases !== undefined)).toBeGreaterThan(0.2)
    expect(new Set(drawn.map(({ profile }) => profile)).size).toBe(3)
    for (const { level, shape } of drawn) {
      expect(level).toBeGreaterThanOrEqual(0.7)
      expect(level).toBeLessThanOrEqual(1.1)
      expect(meansOf(shape).promptTokens).toBeLessThanOrEqual(14_000)
    }
  })

  it.each(seeds.slice(0, 8))('seed %d gives requests, in a number that one run can take', (seed) => {
    let requests = 0
    for (const start of blindSource(seed).workload({ seed: 1 }).starts)
      for (let each: typeof start | undefined = start; each !== undefined; each = each.next) requests++
    expect(requests).toBeGreaterThan(1000)
    expect(requests).toBeLessThanOrEqual(30_000)
  })

  it('refuses what is no seed', () => {
    expect(() => blindSource(-1)).toThrow('is no seed')
    expect(() => blindSource(1.5)).toThrow('is no seed')
  })
})
