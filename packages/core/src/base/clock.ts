export interface TimerHandle {
  cancel(): void
}

/** Time as the balancer sees it: one seam, so that tests and the simulator run on their own. */
export interface Clock {
  /** Monotonic milliseconds; differences only. Immune to wall-clock jumps. */
  nowMs(): number
  /** Milliseconds since the epoch, for records and people. */
  epochMs(): number
  /** Runs `callback` once after `delayMs`. Never keeps the process alive by itself. */
  after(delayMs: number, callback: () => void): TimerHandle
}

/** The machine's own clocks. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  epochMs: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    timer.unref()
    return { cancel: () => clearTimeout(timer) }
  },
}
