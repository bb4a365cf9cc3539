import type { Clock } from '../base/index.js'

/** Resolves after `ms`, or as soon as `cut` is aborted. */
export function pause(clock: Clock, ms: number, cut: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve)
    cut.addEventListener('abort', () => resolve())
    if (cut.aborted) resolve()
  })
}
