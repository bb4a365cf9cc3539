import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FakeClock } from '../../base/index.js'
import { RetryBudget, type Charge } from './retry-budget.js'

const limits = { share: 0.2, floor: 8 }

function opened(clock = new FakeClock()) {
  return { clock, budget: new RetryBudget(clock, () => limits) }
}

/** How many tries are paid for in a row. */
function takenAtOnce(budget: RetryBudget): number {
  let count = 0
  while (budget.take() !== undefined) count += 1
  return count
}

const step = fc.oneof(
  fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 4_000 }) }),
  fc.record({ kind: fc.constant('arrive' as const), ms: fc.constant(0) }),
  fc.record({ kind: fc.constant('leave' as const), ms: fc.constant(0) }),
  fc.record({ kind: fc.constant('take' as const), ms: fc.constant(0) }),
  fc.record({ kind: fc.constant('giveBack' as const), ms: fc.constant(0) }),
)

describe('the budget of tries in vain', () => {
  it('is a floor, and a share of the requests of the last 10 s; a quarter of it is spent evenly', () => {
    const { clock, budget } = opened()
    const takenIn = (ms: number): number => {
      let count = takenAtOnce(budget)
      for (let passed = 0; passed < ms; passed += 100) {
        clock.advance(100)
        count += takenAtOnce(budget)
      }
      return count
    }
    expect(takenAtOnce(budget)).toBe(6)
    expect(takenIn(9_900)).toBe(1)
    clock.advance(22_000)
    for (let request = 0; request < 100; request += 1) {
      budget.arrived()
      budget.left()
    }
    expect(takenAtOnce(budget)).toBe(21)
    expect(takenIn(9_500)).toBe(6)
    clock.advance(22_000)
    expect(takenAtOnce(budget)).toBe(6)
  })

  it('counts requests that came long ago and are still there', () => {
    const { clock, budget } = opened()
    for (let request = 0; request < 200; request += 1) budget.arrived()
    clock.advance(60_000)
    expect(budget.state.allowed).toBe(48)
  })

  it('has those who wait go on, first come first served; a try that was worth it forgives one that was not', () => {
    const { budget } = opened()
    const charges = Array.from({ length: 6 }, () => budget.take())
    const order: string[] = []
    const next = (name: string) => () => void order.push(budget.take() === undefined ? `${name} in vain` : name)
    budget.wait(next('a'))
    const leave = budget.wait(next('b'))
    budget.wait(next('c'))
    budget.wait(next('d'))
    leave()
    charges[0]?.giveBack()
    charges[0]?.giveBack()
    expect([order, budget.state.waiting]).toEqual([['a', 'c'], 1])
    charges[1]?.giveBack()
    expect(order).toEqual(['a', 'c', 'd'])
  })

  it('lets begun streams go first, and counts them', () => {
    const { budget } = opened()
    takenAtOnce(budget)
    expect(budget.take(true)).toBeDefined()
    expect(budget.state).toEqual({ spent: 7, allowed: 8, waiting: 0 })
  })

  it('never allows more in any 10 s than the floor, the share and what good tries forgive, whatever happens', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const { clock, budget } = opened()
        const arrivals: number[] = []
        const open: Charge[] = []
        const taken: number[] = []
        let [inFlight, given] = [0, 0]
        for (const { kind, ms } of steps) {
          if (kind === 'wait') clock.advance(ms)
          if (kind === 'arrive') {
            budget.arrived()
            arrivals.push(clock.nowMs())
            inFlight += 1
          }
          if (kind === 'leave' && inFlight > 0) {
            budget.left()
            inFlight -= 1
          }
          const charge = kind === 'take' ? budget.take() : undefined
          if (charge !== undefined) {
            open.push(charge)
            taken.push(clock.nowMs())
            const since = clock.nowMs() - 10_000
            const requests = arrivals.filter((atMs) => atMs > since).length
            expect(taken.filter((atMs) => atMs > since).length).toBeLessThanOrEqual(8 + 0.2 * Math.max(requests, inFlight) + 2 * given)
          }
          if (kind === 'giveBack' && open.length > 0) {
            open.pop()?.giveBack()
            given += 1
          }
          expect(budget.state.spent).toBeGreaterThanOrEqual(0)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('is whole again 11 s after the last try', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { clock, budget } = opened()
        for (const { kind, ms } of steps) {
          if (kind === 'wait') clock.advance(ms)
          if (kind === 'take') budget.take()
        }
        clock.advance(11_000)
        expect(budget.state.spent).toBe(0)
      }),
    )
  })
})
