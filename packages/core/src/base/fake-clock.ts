import type { Clock } from './clock.js'

interface Entry {
  readonly dueMs: number
  readonly order: number
  readonly callback: () => void
}

/** A clock that moves only when told to; timers run in order of their due time. For tests and virtual time. */
export class FakeClock implements Clock {
  private elapsedMs = 0
  private order = 0
  private entries: Entry[] = []
  private readonly startEpochMs: number

  constructor(startEpochMs = 1_700_000_000_000) {
    this.startEpochMs = startEpochMs
  }

  nowMs(): number {
    return this.elapsedMs
  }

  epochMs(): number {
    return this.startEpochMs + this.elapsedMs
  }

  after(delayMs: number, callback: () => void): { cancel: () => void } {
    const entry = { dueMs: this.elapsedMs + Math.max(0, delayMs), order: this.order++, callback }
    this.entries.push(entry)
    return { cancel: () => void (this.entries = this.entries.filter((other) => other !== entry)) }
  }

  /** Moves time forward by `ms`, running every timer that falls due, also those that timers set. */
  advance(ms: number): void {
    const untilMs = this.elapsedMs + ms
    for (;;) {
      const next = this.nextDue(untilMs)
      if (next === undefined) break
      this.entries = this.entries.filter((other) => other !== next)
      this.elapsedMs = Math.max(this.elapsedMs, next.dueMs)
      next.callback()
    }
    this.elapsedMs = untilMs
  }

  /** How many timers are set; a leak check for tests. */
  get pending(): number {
    return this.entries.length
  }

  private nextDue(untilMs: number): Entry | undefined {
    let best: Entry | undefined
    for (const entry of this.entries) {
      if (entry.dueMs > untilMs) continue
      if (best === undefined || entry.dueMs < best.dueMs || (entry.dueMs === best.dueMs && entry.order < best.order)) best = entry
    }
    return best
  }
}
