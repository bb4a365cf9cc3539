import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FakeClock } from '../../base/index.js'
import { RetryBudget, type Charge } from './retry-budget.js'

const limits = { share: 0.2, floor: 5 }

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
  it('is a floor, and a share of the requests of the last 10 s', () => {
    const { clock, budget } = opened()
    expect(takenAtOnce(budget)).toBe(5)
    clock.advance(11_000)
    for (let request = 0; request < 100; request += 1) {
      budget.arrived()
      budget.left()
    }
    expect(takenAtOnce(budget)).toBe(25)
    clock.advance(11_000)
    expect(takenAtOnce(budget)).toBe(5)
  })

  it('counts requests that came long ago and are still there', () => {
    const { clock, budget } = opened()
    for (let request = 0; request < 200; request += 1) budget.arrived()
    clock.advance(60_000)
    expect(takenAtOnce(budget)).toBe(45)
  })

  it('costs nothing where the try was worth it: whoever waits goes on, first come first served', () => {
    const { budget } = opened()
    const charges = Array.from({ length: 5 }, () => budget.take())
    const order: string[] = []
    const next = (name: string) => () => void (budget.take() === undefined ? order.push(`${name} in vain`) : order.push(name))
    budget.wait(next('a'))
    const leave = budget.wait(next('b'))
    budget.wait(next('c'))
    leave()
    charges[0]?.giveBack()
    charges[0]?.giveBack()
    expect([order, budget.state.waiting]).toEqual([['a'], 1])
    charges[1]?.giveBack()
    expect(order).toEqual(['a', 'c'])
  })

  it('lets begun streams go first, and counts them', () => {
    const { budget } = opened()
    takenAtOnce(budget)
    expect(budget.take(true)).toBeDefined()
    expect(budget.state).toEqual({ spent: 6, allowed: 5, waiting: 0 })
  })

  it('never allows more than the floor and the share in any 10 s, whatever happens', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const { clock, budget } = opened()
        const arrivals: number[] = []
        const open: { atMs: number; charge: Charge }[] = []
        let inVain: number[] = []
        let [inFlight, mostInFlight] = [0, 0]
        for (const { kind, ms } of steps) {
          if (kind === 'wait') clock.advance(ms)
          if (kind === 'arrive') {
            budget.arrived()
            arrivals.push(clock.nowMs())
            mostInFlight = Math.max(mostInFlight, (inFlight += 1))
          }
          if (kind === 'leave' && inFlight > 0) {
            budget.left()
            inFlight -= 1
          }
          const charge = kind === 'take' ? budget.take() : undefined
          if (charge !== undefined) {
            open.push({ atMs: clock.nowMs(), charge })
            inVain.push(clock.nowMs())
            const since = clock.nowMs() - 10_000
            const requests = arrivals.filter((atMs) => atMs > since).length
            expect(inVain.filter((atMs) => atMs > since).length).toBeLessThanOrEqual(5 + 0.2 * Math.max(requests, inFlight))
          }
          if (kind === 'giveBack') {
            const given = open.pop()
            given?.charge.giveBack()
            inVain = inVain.filter((atMs, at) => at !== inVain.lastIndexOf(given?.atMs ?? -1) || atMs !== given?.atMs)
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
