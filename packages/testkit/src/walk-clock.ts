import type { Clock, TimerHandle } from '@plimsoll/core/plugin'

/** Time that passes only when told to. */
export class WalkClock implements Clock {
  private ms = 1000
  private readonly timers = new Set<{ readonly dueMs: number; readonly callback: () => void }>()

  nowMs(): number {
    return this.ms
  }

  epochMs(): number {
    return 1_700_000_000_000 + this.ms
  }

  after(delayMs: number, callback: () => void): TimerHandle {
    const timer = { dueMs: this.ms + delayMs, callback }
    this.timers.add(timer)
    return { cancel: () => void this.timers.delete(timer) }
  }

  pass(ms: number): void {
    this.ms += ms
    for (const timer of this.timers) {
      if (timer.dueMs > this.ms) continue
      this.timers.delete(timer)
      timer.callback()
    }
  }
}
