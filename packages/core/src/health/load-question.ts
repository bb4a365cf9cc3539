import type { Clock, TimerHandle } from '../base/index.js'
import type { Backend } from '../contracts/index.js'
import { messageOf } from '../errors/index.js'

export interface LoadQuestionOptions {
  readonly clock: Clock
  readonly backend: Backend
  readonly onLoad: (facts: unknown) => void
  /** Told once for each row of failures. */
  readonly onFailed: (why: string) => void
}

const LONGEST_PAUSE_MS = 60_000

/** Asks one engine for its load after good probes: one question at a time, not more often than it bears, ever less often while it fails. */
export class LoadQuestion {
  private underWay: AbortController | undefined
  private notBeforeMs = 0
  private failures = 0

  constructor(private readonly options: LoadQuestionOptions) {}

  /** Call it after each good probe; never throws, never waits. */
  ask(timeoutMs: number): void {
    const { clock, backend } = this.options
    if (backend.load === undefined || this.underWay !== undefined || clock.nowMs() < this.notBeforeMs) return
    const abort = new AbortController()
    this.underWay = abort
    this.notBeforeMs = clock.nowMs() + backend.minProbeIntervalMs
    void this.answer(abort, timeoutMs)
  }

  stop(): void {
    this.underWay?.abort()
    this.notBeforeMs = Infinity
  }

  private async answer(abort: AbortController, timeoutMs: number): Promise<void> {
    const { clock, backend, onLoad } = this.options
    const { promise: late, reject } = Promise.withResolvers<never>()
    const timer: TimerHandle = clock.after(timeoutMs, () => {
      reject(new Error(`no answer within ${timeoutMs} ms`))
      abort.abort()
    })
    try {
      const facts = await Promise.race([backend.load?.(abort.signal), late])
      this.failures = 0
      // A new life may have begun, or the node is gone.
      if (this.notBeforeMs !== Infinity) onLoad(facts)
    } catch (error) {
      this.failed(messageOf(error))
    } finally {
      timer.cancel()
      this.underWay = undefined
    }
  }

  private failed(why: string): void {
    if (this.notBeforeMs === Infinity) return
    this.failures += 1
    if (this.failures === 1) this.options.onFailed(why)
    const pauseMs = Math.min(LONGEST_PAUSE_MS, 1_000 * 2 ** this.failures)
    this.notBeforeMs = Math.max(this.notBeforeMs, this.options.clock.nowMs() + pauseMs)
  }
}
