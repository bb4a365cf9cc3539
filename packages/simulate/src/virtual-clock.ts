import type { Clock, TimerHandle } from '@plimsoll/core/routing'
import { DueQueue } from './due-queue.js'

/** The start of every simulation in calendar time: any fixed moment, so that runs repeat. */
const START_EPOCH_MS = Date.UTC(2026, 0, 1)

interface Timer {
  callback: (() => void) | undefined
}

/** Time that stands still until its owner moves it. */
export class VirtualClock implements Clock {
  /** Milliseconds since the start of the simulation. */
  ms = 0
  private readonly timers = new DueQueue<Timer>()

  /** When the first timer is due; Infinity without one. */
  get timerMs(): number {
    return this.timers.firstMs
  }

  nowMs(): number {
    return this.ms
  }

  epochMs(): number {
    return START_EPOCH_MS + this.ms
  }

  after(delayMs: number, callback: () => void): TimerHandle {
    const timer: Timer = { callback }
    this.timers.add(this.ms + Math.max(0, delayMs), timer)
    return {
      cancel: () => {
        timer.callback = undefined
      },
    }
  }

  /** Runs the first timer; its owner has moved the time there. */
  fire(): void {
    this.timers.take()?.callback?.()
  }
}
