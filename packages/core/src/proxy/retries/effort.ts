import type { RetryPlan } from '../../topology/index.js'
import type { AttemptEnd } from '../forward.js'
import { saysNothing } from '../outcome-of.js'
import type { Charge, RetryBudget } from './retry-budget.js'

/** What was spent on one request, and what may still be. */
export class Effort {
  /** Times that all nodes were asked. */
  rounds = 0
  /** Why it is over; undefined: it goes on. */
  overBecause: string | undefined
  private inVain = 0
  private owes = false
  private charge: Charge | undefined

  constructor(
    private readonly rules: RetryPlan,
    private readonly budget: RetryBudget,
  ) {
    budget.arrived()
  }

  /** A try failed; `elapsedMs` since the request came. */
  failed(end: AttemptEnd, elapsedMs: number): void {
    const { max, withinMs } = this.rules
    const goesOn = end.resumption !== undefined
    if (didWork(end)) {
      this.inVain += 1
      this.owes = true
    }
    if (goesOn) return
    if (max === 0) this.overBecause = 'requests are not sent again in this pool'
    else if (this.inVain > max) this.overBecause = `it was sent ${this.inVain} times`
    else if (elapsedMs > withinMs) this.overBecause = `it came ${Math.round(elapsedMs / 1_000)} s ago`
  }

  /** Pays for the next try. False: nothing is left in the budget. A begun stream comes first, whatever is left. */
  pay(firmly: boolean): boolean {
    if (!this.owes) return true
    const charge = this.budget.take(firmly)
    if (charge === undefined) return false
    this.owes = false
    this.charge = charge
    return true
  }

  /** It matters whether the try brings something. */
  get isCharged(): boolean {
    return this.charge !== undefined
  }

  /** The try has brought something. */
  worked(): void {
    this.charge?.giveBack()
    this.charge = undefined
  }

  end(): void {
    this.budget.left()
  }
}

/** A node that could not be reached, asked for a pause or still loads has done no work that is done again now. */
export function didWork({ outcome, rest, verdict }: Pick<AttemptEnd, 'outcome' | 'rest' | 'verdict'>): boolean {
  return outcome !== 'connect-failed' && !saysNothing(outcome) && rest === undefined && verdict !== 'loading'
}

/** Whether nodes that failed so may be asked again after a pause: not where one waited long already, nor for an answer that is none. */
export function isWorthPause(end: AttemptEnd | undefined): boolean {
  return end !== undefined && end.outcome !== 'timeout' && end.isNonsense !== true
}
