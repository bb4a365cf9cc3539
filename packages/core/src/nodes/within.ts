import type { Clock } from '../base/index.js'

export interface WithinOptions {
  readonly clock: Clock
  readonly withinMs: number
  /** Ends it too. */
  readonly cut: AbortSignal
}

/** What a task gives within its time. Throws once that is over, whether the task heeds its signal or not: plugins are somebody else's code. */
export async function within<Value>(
  { clock, withinMs, cut }: WithinOptions,
  task: (signal: AbortSignal) => Promise<Value> | undefined,
): Promise<Value | undefined> {
  const late = new AbortController()
  const signal = AbortSignal.any([cut, late.signal])
  signal.throwIfAborted()
  const { promise: over, reject } = Promise.withResolvers<never>()
  const end = (): void => reject(signal.reason)
  const timer = clock.after(withinMs, () => late.abort(new Error(`not within ${withinMs / 1_000} s`)))
  signal.addEventListener('abort', end)
  try {
    return await Promise.race([task(signal), over])
  } finally {
    timer.cancel()
    signal.removeEventListener('abort', end)
  }
}
