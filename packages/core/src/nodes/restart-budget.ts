import type { RandomSource } from '../base/index.js'

const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 30_000
/** Waits where only a person can help: one may be at it right now, but nothing is gained by hurry. */
const HOPELESS_WAITS_MS = [30_000, 120_000]
/** A life this long was no crash loop: the wait starts small again. */
const STABLE_MS = 60_000

export interface RestartLimits {
  readonly max: number
  readonly withinMs: number
}

/** When a node that failed may start again: waits that double to 30 s with jitter, and a budget after which it stays failed. */
export class RestartBudget {
  private failuresAtMs: number[] = []
  private inARow = 0
  private hopelessInARow = 0

  constructor(private readonly random: RandomSource) {}

  /** The wait before the next start; undefined when the budget is spent. `hopeless`: the same would happen again, so there are two more tries at most. */
  failed(nowMs: number, livedMs: number, limits: RestartLimits, hopeless = false): number | undefined {
    this.hopelessInARow = hopeless ? this.hopelessInARow + 1 : 0
    this.inARow = livedMs >= STABLE_MS ? 1 : this.inARow + 1
    this.failuresAtMs = [...this.failuresAtMs.filter((atMs) => nowMs - atMs < limits.withinMs), nowMs]
    if (this.failuresAtMs.length > limits.max) return undefined
    if (hopeless) return HOPELESS_WAITS_MS[this.hopelessInARow - 1]
    const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (this.inARow - 1))
    return waitMs * (0.8 + 0.4 * this.random.next())
  }

  /** Failures that count at this moment. */
  get spent(): number {
    return this.failuresAtMs.length
  }

  /** A person asked for a start: all is forgiven. */
  reset(): void {
    this.failuresAtMs = []
    this.inARow = 0
    this.hopelessInARow = 0
  }

  /** Why no restart follows, for people. */
  gaveUp({ withinMs }: { readonly withinMs: number }, hopeless: boolean): string {
    const minutes = Math.round(withinMs / 60_000)
    const how = hopeless ? 'for a reason that stays' : `in ${minutes} minutes`
    return `failed ${this.spent} times ${how} and is not started again: `
  }
}
