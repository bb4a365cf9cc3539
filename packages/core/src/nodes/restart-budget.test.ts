import { describe, expect, it } from 'vitest'
import { seededRandom } from '../base/index.js'
import { RestartBudget } from './restart-budget.js'

const limits = { max: 5, withinMs: 600_000 }
const midway = { next: () => 0.5 }

describe('the restart budget', () => {
  it('doubles the wait from 250 ms to 30 s', () => {
    const budget = new RestartBudget(midway)
    const waits = Array.from({ length: 10 }, () => budget.failed(0, 0, { max: 100, withinMs: 1 }))
    expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
  })

  it('spreads the waits by a fifth, so that replicas do not come back in step', () => {
    const random = seededRandom(3)
    const waits = Array.from({ length: 200 }, () => new RestartBudget(random).failed(0, 0, limits) ?? 0)
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(200)
    expect(Math.max(...waits)).toBeLessThanOrEqual(300)
    expect(new Set(waits).size).toBeGreaterThan(150)
  })

  it('is spent after the allowed restarts, and refills as failures grow old', () => {
    const budget = new RestartBudget(midway)
    for (let index = 0; index < 5; index += 1) expect(budget.failed(index * 1000, 0, limits)).toBeDefined()
    expect(budget.failed(5000, 0, limits)).toBeUndefined()
    expect(budget.spent).toBe(6)
    expect(budget.failed(5000 + 600_000, 0, limits)).toBeDefined()
    expect(budget.spent).toBe(1)
  })

  it('starts small again after a life of a minute, and when a person asks', () => {
    const budget = new RestartBudget(midway)
    for (let index = 0; index < 4; index += 1) budget.failed(0, 0, limits)
    expect(budget.failed(60_000, 60_000, limits)).toBe(250)
    budget.failed(60_000, 0, { max: 100, withinMs: 1 })
    budget.reset()
    expect(budget.spent).toBe(0)
    expect(budget.failed(60_000, 0, limits)).toBe(250)
  })

  it('allows none where none is wanted', () => {
    expect(new RestartBudget(midway).failed(0, 0, { max: 0, withinMs: 1000 })).toBeUndefined()
  })

  it('tries twice more, with long waits, where only a person can help', () => {
    const budget = new RestartBudget(midway)
    expect([0, 1, 2].map(() => budget.failed(0, 0, limits, true))).toEqual([30_000, 120_000, undefined])
    budget.reset()
    expect(budget.failed(0, 0, limits, true)).toBe(30_000)
    expect(budget.failed(0, 0, limits)).toBe(500)
    expect(new RestartBudget(midway).failed(0, 0, { max: 0, withinMs: 1000 }, true)).toBeUndefined()
  })
})
