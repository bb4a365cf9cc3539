import type { Clock } from '../base/index.js'
import type { Backend } from '../contracts/index.js'

export interface EmptyingOptions {
  readonly clock: Clock
  /** Requests of ours on the node. */
  readonly count: () => number
  /** Asked when ours have ended, where the engine serves others too; undefined: ours are all that counts. */
  readonly backend: Backend | undefined
  /** May move nearer meanwhile. */
  readonly deadlineMs: () => number
  readonly cut: AbortSignal
  /** Longest wait for one answer of the engine. */
  readonly timeoutMs: number
}

const POLL_MS = 20
/** An engine that cannot be asked is not waited for. */
const MOST_FAILURES = 3

/** Resolves when no request is on the node, neither of ours nor, where it can tell, of others; or when the time is up. */
export async function untilEmpty(options: EmptyingOptions): Promise<void> {
  const { clock, count, backend, deadlineMs, cut } = options
  const over = (): boolean => clock.nowMs() >= deadlineMs() || cut.aborted
  const pause = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve))
  let failures = 0
  let askAtMs = 0
  while (!over()) {
    if (count() === 0) {
      if (backend?.drain === undefined || failures >= MOST_FAILURES) return
      if (clock.nowMs() >= askAtMs) {
        const empty = await isEmpty(options, backend)
        if (empty === true) return
        failures = empty === undefined ? failures + 1 : 0
        askAtMs = clock.nowMs() + backend.minProbeIntervalMs
      }
    }
    await pause(POLL_MS)
  }
}

/** Undefined where the engine did not say. */
async function isEmpty({ clock, timeoutMs, cut }: EmptyingOptions, backend: Backend): Promise<boolean | undefined> {
  const abort = new AbortController()
  const { promise: late, resolve } = Promise.withResolvers<undefined>()
  const giveUp = (): void => {
    resolve(undefined)
    abort.abort()
  }
  const timer = clock.after(timeoutMs, giveUp)
  cut.addEventListener('abort', giveUp)
  try {
    return await Promise.race([backend.drain?.isEmpty(abort.signal), late])
  } catch {
    return undefined
  } finally {
    timer.cancel()
    cut.removeEventListener('abort', giveUp)
  }
}
