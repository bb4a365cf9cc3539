import { describe, expect, it } from 'vitest'
import { createRestartBudget } from './restarts.js'

describe('the keeper', () => {
  it('waits longer after each crash and gives up after eight in a minute', () => {
    const budget = createRestartBudget()
    const plans = Array.from({ length: 9 }, (_, index) => budget.crashed(index * 1000))
    expect(plans.slice(0, 3).map((plan) => plan.waitMs)).toEqual([100, 200, 400])
    expect(Math.max(...plans.map((plan) => plan.waitMs))).toBe(5000)
    expect(plans.map((plan) => plan.giveUp)).toEqual([...Array<boolean>(8).fill(false), true])
  })

  it('forgives a balancer that stayed up', () => {
    const budget = createRestartBudget()
    budget.crashed(0)
    expect(budget.crashed(61_000)).toEqual({ waitMs: 100, giveUp: false })
  })
})
