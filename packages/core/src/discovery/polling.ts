import type { TimerHandle } from '../base/index.js'
import { messageOf } from '../errors/index.js'
import type { SourceContext, SourceEvents, SourceWatch, Truth } from './source.js'

/** What asking once gave; undefined: what was said last still holds. */
export interface Asked {
  readonly truth: Truth | undefined
  /** When to ask again. */
  readonly nextMs: number
}

/** A source that gives no answer for so long is called a problem; it is not asked a second time meanwhile. */
const PATIENCE_MS = 10_000
/** A failing source is asked sooner than one that is well. */
const RETRY_MS = 5_000

/** Asks again and again, never twice at once, a little earlier or later each time so that many balancers do not ask together. */
export function startPolling(context: SourceContext, events: SourceEvents, ask: () => Promise<Asked>, retryMs = RETRY_MS): SourceWatch {
  const { clock, random } = context
  let stopped = false
  let timer: TimerHandle | undefined
  const later = (afterMs: number): void => {
    if (!stopped) timer = clock.after(afterMs * (0.9 + 0.2 * random.next()), () => void round())
  }
  const round = async (): Promise<void> => {
    const late = clock.after(PATIENCE_MS, () => stopped || events.problem(`no answer within ${PATIENCE_MS / 1000} s`))
    try {
      const { truth, nextMs } = await ask()
      if (stopped) return
      if (truth === undefined) events.unchanged()
      else events.truth(truth)
      later(nextMs)
    } catch (error) {
      if (!stopped) events.problem(messageOf(error))
      later(retryMs)
    } finally {
      late.cancel()
    }
  }
  void round()
  return {
    stop() {
      stopped = true
      timer?.cancel()
    },
  }
}
