import type { AttemptRecord, RequestRecord } from '../contracts/index.js'
import { gatewayMetricDeclarations as declared } from './gateway-metric-declarations.js'
import type { MetricRegistry } from './metric-registry.js'

/** What a scrape asks of the budget of one pool. */
export interface BudgetReading {
  readonly spent: number
  readonly allowed: number
  readonly waiting: number
}

/** The metrics of requests that were sent more than once. */
export class RetryMetrics {
  private readonly retries
  private readonly inVain
  private readonly tokensInVain
  private readonly hedges
  private readonly spent
  private readonly allowed
  private readonly waiting

  constructor(registry: MetricRegistry) {
    this.retries = registry.counter(declared.retries)
    this.inVain = registry.counter(declared.inVain)
    this.tokensInVain = registry.counter(declared.tokensInVain)
    this.hedges = registry.counter(declared.hedges)
    this.spent = registry.gauge(declared.retryBudgetSpent)
    this.allowed = registry.gauge(declared.retryBudgetAllowed)
    this.waiting = registry.gauge(declared.retryBudgetWaiting)
  }

  /** Takes in a request of several tries, or of one that brought nothing. */
  settle({ pool: name, attempts, promptTokens }: RequestRecord): void {
    const pool = name ?? 'none'
    for (const attempt of attempts.slice(0, -1)) if (isFailure(attempt)) this.retries.with({ pool, cause: causeOf(attempt) }).add()
    const hedged = attempts.filter(({ hedge }) => hedge === true)
    for (let second = 1; second < hedged.length; second += 2)
      this.hedges.with({ pool, winner: winnerOf(hedged[second - 1], hedged[second]) }).add()
    for (const attempt of attempts) {
      if (attempt.inVain !== true) continue
      this.inVain.with({ pool, cause: causeOf(attempt) }).add()
      this.tokensInVain.with({ pool }).add(promptTokens)
    }
  }

  read(budgets: Iterable<readonly [pool: string, budget: BudgetReading]>): void {
    for (const family of [this.spent, this.allowed, this.waiting]) family.clear()
    for (const [pool, { spent, allowed, waiting }] of budgets) {
      this.spent.with({ pool }).set(spent)
      this.allowed.with({ pool }).set(allowed)
      this.waiting.with({ pool }).set(waiting)
    }
  }
}

function isFailure({ outcome }: AttemptRecord): boolean {
  return outcome !== 'answered' && outcome !== 'cancelled'
}

function causeOf({ outcome, busy }: AttemptRecord): string {
  if (busy === true) return 'busy'
  return outcome === 'cancelled' ? 'hedge' : outcome
}

function winnerOf(first: AttemptRecord | undefined, second: AttemptRecord | undefined): string {
  const hasWon = (attempt: AttemptRecord | undefined): boolean => attempt?.outcome === 'answered' || attempt?.outcome === 'cut'
  if (hasWon(second)) return 'second'
  return hasWon(first) ? 'first' : 'none'
}
