import type { Clock, TimerHandle } from '../../base/index.js'
import type { PoolRoute } from '../proxy-context.js'
import { RetryBudget, type BudgetState } from './retry-budget.js'

/** Time is money here: with each slice of the window that passes, something may be left again. */
const LOOK_EVERY_MS = 100

interface Kept {
  readonly budget: RetryBudget
  route: PoolRoute
}

/** The budgets of all pools, in one thread. */
export class RetryBudgets {
  private readonly byPool = new Map<string, Kept>()
  private looking: TimerHandle | undefined

  constructor(private readonly clock: Clock) {}

  of(route: PoolRoute): RetryBudget {
    const known = this.byPool.get(route.name)
    if (known !== undefined) {
      known.route = route
      return known.budget
    }
    const kept: Kept = { route, budget: new RetryBudget(this.clock, () => kept.route.retries.budget) }
    this.byPool.set(route.name, kept)
    return kept.budget
  }

  /** Waits for its turn; returns how to leave. */
  wait(route: PoolRoute, turn: () => void): () => void {
    const leave = this.of(route).wait(turn)
    this.look()
    return leave
  }

  states(): ReadonlyMap<string, BudgetState> {
    return new Map([...this.byPool].map(([pool, { budget }]) => [pool, budget.state]))
  }

  retain(pools: ReadonlySet<string>): void {
    for (const name of this.byPool.keys()) if (!pools.has(name)) this.byPool.delete(name)
  }

  private look(): void {
    this.looking ??= this.clock.after(LOOK_EVERY_MS, () => {
      this.looking = undefined
      let waiting = 0
      for (const { budget } of this.byPool.values()) {
        budget.next()
        waiting += budget.state.waiting
      }
      if (waiting > 0) this.look()
    })
  }
}
