import type { TimerHandle } from '../../base/index.js'
import type { Admitted } from '../admit.js'
import type { ProxyContext } from '../proxy-context.js'
import type { Asked, Waiter } from '../waiting-line.js'

/** What a request waits for: that the strategy wants a node, that there is one, or that the pool allows itself another try. */
export type WaitsFor = 'strategy' | 'node' | 'budget'

export interface Standing extends Waiter {
  onLate(waitsFor: WaitsFor): void
  onGone(): void
  /** It may be tried again. */
  again(): void
}

/** The time that one request spends without a node, in line or in the queue of the budget, and its ends: a node, too long, or the client leaves. */
export class Standstill {
  private waitsFor: WaitsFor | undefined
  private sinceMs = 0
  private inLineMs = 0
  /** Of it, what counts against `retries.wait`. */
  private lackedMs = 0
  private timer: TimerHandle | undefined
  /** Until the nodes that have failed it may be asked again. */
  private pausing: TimerHandle | undefined
  private leaveBudget: (() => void) | undefined

  constructor(
    private readonly context: ProxyContext,
    private readonly request: Admitted,
    private readonly standing: Standing,
  ) {}

  /** All waits together. */
  get totalMs(): number {
    return this.inLineMs + (this.waitsFor === undefined ? 0 : this.elapsedMs)
  }

  /** How much longer it may wait for a node. */
  get patienceMs(): number {
    const { pool } = this.request
    const { waitMs, loadingMs } = pool.retries
    const isLoading = this.context.rosters.current().emptyReason(pool.name) === 'loading'
    const now = this.waitsFor === undefined || this.waitsFor === 'strategy' ? 0 : this.elapsedMs
    const wakingMs = this.isWaking ? (pool.wake?.withinMs ?? 0) : 0
    return Math.max(waitMs, isLoading ? loadingMs : 0, wakingMs) - this.lackedMs - now
  }

  /** Somebody wakes a node of the pool, which has none for anybody. */
  private get isWaking(): boolean {
    return this.request.pool.wake !== undefined && this.context.rosters.current().routable(this.request.pool.name).length === 0
  }

  /** It waits for something else from now on: what it has waited before does not count. */
  renewPatience(): void {
    this.lackedMs = 0
  }

  get isStanding(): boolean {
    return this.waitsFor !== undefined
  }

  /** No more may wait in this pool. */
  get isFull(): boolean {
    const { context, request, line } = this
    return line.size + line.outings.kept + context.budgets.of(request.pool).waiting >= request.pool.line.max
  }

  /** Stands in line from now on, or goes on standing there. */
  inLine(asked: Exclude<Asked, 'served'>, wakeInMs?: number): void {
    this.enter(asked === 'waits' ? 'strategy' : 'node')
    this.request.delivery.waitsFor = asked === 'lacks' && this.isWaking ? `waiting for ${this.request.pool.name} to wake` : undefined
    this.line.join(this.standing, asked)
    if (wakeInMs !== undefined) this.line.wakeIn(wakeInMs)
  }

  /** Waits until the budget allows another try. */
  forBudget(): void {
    this.enter('budget')
    this.leaveBudget = this.context.budgets.wait(this.request.pool, () => {
      this.leave()
      this.standing.again()
    })
  }

  /** Then it is asked again, whatever else happens. */
  pause(forMs: () => number, then: () => void): void {
    this.pausing ??= this.context.clock.after(forMs(), () => {
      this.pausing = undefined
      then()
      this.line.askOne(this.standing)
    })
  }

  leave(): void {
    if (this.waitsFor === undefined) return
    this.count()
    this.waitsFor = undefined
    this.request.delivery.waitsFor = undefined
    this.line.leave(this.standing)
    this.leaveBudget?.()
    this.leaveBudget = undefined
    this.pausing?.cancel()
    this.pausing = undefined
    this.timer?.cancel()
    this.request.exchange.onGone(() => undefined)
  }

  private get line() {
    return this.context.lines.of(this.request.pool)
  }

  private get elapsedMs(): number {
    return this.context.clock.nowMs() - this.sinceMs
  }

  private enter(waitsFor: WaitsFor): void {
    if (this.waitsFor === undefined)
      this.request.exchange.onGone(() => {
        this.leave()
        this.standing.onGone()
      })
    if (this.waitsFor !== waitsFor) {
      this.count()
      this.sinceMs = this.context.clock.nowMs()
      this.waitsFor = waitsFor
    } else if (waitsFor === 'strategy') return
    this.arm(waitsFor)
  }

  private count(): void {
    if (this.waitsFor === undefined) return
    this.inLineMs += this.elapsedMs
    if (this.waitsFor !== 'strategy') this.lackedMs += this.elapsedMs
  }

  private arm(waitsFor: WaitsFor): void {
    this.timer?.cancel()
    const waitMs = waitsFor === 'strategy' ? this.request.pool.line.longestMs : this.patienceMs
    this.timer = this.context.wheel.after(Math.max(0, waitMs), () => {
      // A node that began to load meanwhile is worth more patience.
      if (waitsFor !== 'strategy' && this.patienceMs > 0) return this.arm(waitsFor)
      this.leave()
      this.standing.onLate(waitsFor)
    })
  }
}
