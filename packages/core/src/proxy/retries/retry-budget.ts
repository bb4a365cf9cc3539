import type { Clock } from '../../base/index.js'

const SLICE_MS = 500
/** Requests of at most the last 10 s, and tries of at least as long: the budget is never larger than promised. */
const SLICES = 20
const KEPT = SLICES + 1
/** Kept for tries that come one after the other, however much was in vain: somebody has to find out that nodes are well again. */
const SPREAD_SHARE = 0.25
const WINDOW_MS = 10_000

export interface BudgetLimits {
  /** Of the requests, 0..1. */
  readonly share: number
  /** Besides. */
  readonly floor: number
}

/** What a pool has spent of its budget, and has. */
export interface BudgetState {
  /** Tries of the last 10 s that were in vain, or may still be. */
  readonly spent: number
  readonly allowed: number
  /** Requests that wait until something is left. */
  readonly waiting: number
}

/** A try that is paid for. */
export interface Charge {
  /** It was worth it: the client has an answer. Without effect the second time. */
  giveBack(): void
}

/**
 * How many tries in vain a pool allows itself: a share of its requests of the last 10 s (at least of those that are there now, for they may be long), and a
 * floor. A try that brings an answer is not in vain, and forgives another one that was: when one node of many dies, its requests move as fast as the others take
 * them. When all fail, what is left is spent evenly over the 10 s, and the first answer opens the door again.
 */
export class RetryBudget {
  private readonly arrivals = new Float64Array(KEPT)
  private readonly spent = new Float64Array(KEPT)
  private slice = 0
  private inFlight = 0
  private takenAtMs = -Infinity
  private readonly queue = new Set<() => void>()

  constructor(
    private readonly clock: Clock,
    private readonly limits: () => BudgetLimits,
  ) {
    this.slice = this.sliceNow()
  }

  arrived(): void {
    const at = this.at()
    this.arrivals[at] = (this.arrivals[at] ?? 0) + 1
    this.inFlight += 1
  }

  left(): void {
    this.inFlight -= 1
  }

  /** Pays for one more try; undefined: nothing is left. `firmly`: it is made whatever the budget says. */
  take(firmly = false): Charge | undefined {
    if (!firmly && !this.hasLeft) return undefined
    this.takenAtMs = this.clock.nowMs()
    const at = this.at()
    const slice = this.slice
    this.spent[at] = (this.spent[at] ?? 0) + 1
    let given = false
    return {
      giveBack: () => {
        if (given) return
        given = true
        const now = this.sliceNow()
        if (now - slice < KEPT) this.forgive(at)
        this.forgiveOldest()
        this.next()
      },
    }
  }

  /** Calls back, first come first served, when something may be left again. Returns how to leave. */
  wait(turn: () => void): () => void {
    const wake = (): void => turn()
    this.queue.add(wake)
    return () => void this.queue.delete(wake)
  }

  /** Has the first in the queue ask again, as long as something is left. */
  next(): void {
    for (const turn of this.queue) {
      if (!this.hasLeft) return
      this.queue.delete(turn)
      turn()
    }
  }

  /** Requests in the queue. */
  get waiting(): number {
    return this.queue.size
  }

  get state(): BudgetState {
    this.at()
    const { share, floor } = this.limits()
    let [requests, spent] = [0, 0]
    for (let back = 0; back < KEPT; back += 1) {
      const at = (((this.slice - back) % KEPT) + KEPT) % KEPT
      if (back < SLICES) requests += this.arrivals[at] ?? 0
      spent += this.spent[at] ?? 0
    }
    return { spent, allowed: floor + Math.floor(share * Math.max(requests, this.inFlight)), waiting: this.queue.size }
  }

  private get hasLeft(): boolean {
    const { spent, allowed } = this.state
    if (spent < Math.floor(allowed * (1 - SPREAD_SHARE))) return true
    const spreadMs = WINDOW_MS / Math.ceil(allowed * SPREAD_SHARE)
    return spent < allowed && this.clock.nowMs() - this.takenAtMs >= spreadMs
  }

  private forgive(at: number): void {
    this.spent[at] = Math.max(0, (this.spent[at] ?? 0) - 1)
  }

  private forgiveOldest(): void {
    for (let slice = this.slice - KEPT + 1; slice <= this.slice; slice += 1) {
      const at = ((slice % KEPT) + KEPT) % KEPT
      if ((this.spent[at] ?? 0) > 0) return this.forgive(at)
    }
  }

  private sliceNow(): number {
    return Math.floor(this.clock.nowMs() / SLICE_MS)
  }

  /** Where this moment is counted; forgets what is over. */
  private at(): number {
    const now = this.sliceNow()
    for (let slice = Math.max(this.slice + 1, now - KEPT + 1); slice <= now; slice += 1) {
      this.arrivals[slice % KEPT] = 0
      this.spent[slice % KEPT] = 0
    }
    if (now > this.slice) this.slice = now
    return ((this.slice % KEPT) + KEPT) % KEPT
  }
}
