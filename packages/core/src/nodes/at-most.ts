import type { Clock } from '../base/index.js'

/** Resolves with the work, or when that takes longer than this; the work goes on. */
export function atMost(clock: Clock, waitMs: number, work: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.after(waitMs, resolve)
    void work.finally(() => {
      timer.cancel()
      resolve()
    })
  })
}
