import { describe, expect, it } from 'vitest'
import { arrivalTimes } from './arrivals.js'
import { drawSpread, exponential, gamma, streamOf, zipf } from './draws.js'

const COUNT = 40_000

function moments(draw: () => number): { mean: number; cv: number } {
  const values = Array.from({ length: COUNT }, draw)
  const mean = values.reduce((sum, value) => sum + value, 0) / COUNT
  return { mean, cv: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / COUNT) / mean }
}

describe('draws', () => {
  it.each([0.2, 0.8, 1.5])('lognormal lengths keep mean and spread: cv %d', (cv) => {
    const random = streamOf(1, 'test')
    const found = moments(() => drawSpread(random, { mean: 1000, cv }))
    expect(Math.abs(found.mean / 1000 - 1)).toBeLessThan(0.05)
    expect(Math.abs(found.cv / cv - 1)).toBeLessThan(0.15)
  })

  it('lengths without spread are the mean', () => {
    expect(drawSpread(streamOf(1, 'test'), { mean: 7, cv: 0 })).toBe(7)
  })

  it.each([0.5, 1, 2, 3])('gamma gaps have mean 1 and the cv that is asked for: %d', (cv) => {
    const random = streamOf(2, 'test')
    const found = moments(() => gamma(random, cv))
    expect(Math.abs(found.mean - 1)).toBeLessThan(0.08)
    expect(Math.abs(found.cv / cv - 1)).toBeLessThan(0.08)
  })

  it('exponential gaps have mean 1 and cv 1', () => {
    const random = streamOf(3, 'test')
    const found = moments(() => exponential(random))
    expect(found.mean).toBeCloseTo(1, 1)
    expect(found.cv).toBeCloseTo(1, 1)
  })

  it('zipf weighs positions by their place', () => {
    const random = streamOf(4, 'test')
    const draw = zipf(3, 1)
    const uses = [0, 0, 0]
    for (let at = 0; at < COUNT; at++) {
      const position = draw(random)
      uses[position] = (uses[position] ?? 0) + 1
    }
    for (const [position, share] of [6 / 11, 3 / 11, 2 / 11].entries()) expect((uses[position] ?? 0) / COUNT).toBeCloseTo(share, 1)
  })

  it('streams of one seed differ by purpose, and seeds beyond 32 bits differ', () => {
    const first = (seed: number, purpose: string): number => streamOf(seed, purpose).next()
    expect(new Set([first(1, 'a'), first(1, 'b'), first(2, 'a'), first(2 ** 40 + 1, 'a')]).size).toBe(4)
  })

  it('phases keep the mean rate and change the load by their ratio', () => {
    const times = arrivalTimes({ perSecond: 10, cv: 1, phases: { ratio: 3, meanMs: 20_000 } }, streamOf(5, 'test'))
    const counts = new Map<number, number>()
    let last = 0
    for (let at = 0; at < COUNT; at++) {
      last = times.next().value
      const slot = Math.floor(last / 2000)
      counts.set(slot, (counts.get(slot) ?? 0) + 1)
    }
    expect(Math.abs(COUNT / (last / 1000) / 10 - 1)).toBeLessThan(0.1)
    const busy = [...counts.values()].filter((count) => count > 20)
    const calm = [...counts.values()].filter((count) => count <= 20)
    const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
    expect(mean(busy) / mean(calm)).toBeGreaterThan(2)
  })
})
