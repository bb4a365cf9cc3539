import type { TimerHandle } from '../../base/index.js'
import type { Admitted } from '../admit.js'
import type { ProxyContext } from '../proxy-context.js'

/** What a request waits for: that the strategy wants a node, that there is one, or that the pool allows itself another try. */
export type WaitsFor = 'strategy' | 'node' | 'budget'

export interface StandstillEvents {
  onLate(waitsFor: WaitsFor): void
  onGone(): void
}

/** The time that one request spends without a node, and its ends: too long, or the client leaves. */
export class Standstill {
  private waitsFor: WaitsFor | undefined
  private sinceMs = 0
  private inLineMs = 0
  /** Of it, what counts against `retries.wait`. */
  private lackedMs = 0
  private timer: TimerHandle | undefined

  constructor(
    private readonly context: ProxyContext,
    private readonly request: Admitted,
    private readonly events: StandstillEvents,
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
    return (isLoading ? Math.max(waitMs, loadingMs) : waitMs) - this.lackedMs - now
  }

  enter(waitsFor: WaitsFor): void {
    if (this.waitsFor === undefined) this.request.exchange.onGone(() => this.events.onGone())
    if (this.waitsFor !== waitsFor) {
      this.count()
      this.sinceMs = this.context.clock.nowMs()
      this.waitsFor = waitsFor
    } else if (waitsFor === 'strategy') return
    this.arm(waitsFor)
  }

  leave(): void {
    if (this.waitsFor === undefined) return
    this.count()
    this.waitsFor = undefined
    this.timer?.cancel()
    this.request.exchange.onGone(() => undefined)
  }

  private get elapsedMs(): number {
    return this.context.clock.nowMs() - this.sinceMs
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
      if (waitsFor !== 'strategy' && this.patienceMs > 0) this.arm(waitsFor)
      else this.events.onLate(waitsFor)
    })
  }
}
