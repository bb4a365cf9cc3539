import type { EngineModel, ModelRequest, SequenceView } from '@plimsoll/engine-model'

/** Told at the end of a turn what became of a request in it. */
export interface SequenceListener {
  /** Tokens came, or the end did: `sequence.producedTokens` says how many so far, `sequence.state` whether it was the end. */
  onProgress(sequence: SequenceView): void
}

/** After a longer stall (SIGSTOP, a starved machine) time is not caught up: a stopped engine computes nothing. */
const longestLagMs = 100
/** Timers come in whole milliseconds; running ahead by less than one keeps fast profiles fast. */
const aheadMs = 0.5
/** Sockets get their turn after this long. */
const turnMs = 5

/**
 * Lets wall-clock time pass for an engine model. Steps end at absolute deadlines, so late timers do not add up:
 * a turn that comes late ends all steps that are due.
 */
export class EngineDriver {
  private readonly listeners = new Map<string, SequenceListener>()
  private touched = new Map<string, SequenceView>()
  private deadlineMs = 0
  private timer: NodeJS.Timeout | undefined
  private immediate: NodeJS.Immediate | undefined
  private frozen = false

  constructor(
    readonly model: EngineModel,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  /** Throws RangeError for what the engine could never hold. */
  submit(request: ModelRequest, listener: SequenceListener): void {
    this.model.submit(request)
    this.listeners.set(request.id, listener)
    if (!this.model.stepping) this.startFrom(this.nowMs())
  }

  /** The request leaves the engine before this returns; its listener hears nothing more. */
  cancel(id: string): boolean {
    this.listeners.delete(id)
    this.touched.delete(id)
    return this.model.cancel(id)
  }

  /** Time stands still for the engine until `thaw`. */
  freeze(): void {
    this.frozen = true
    this.unschedule()
  }

  thaw(): void {
    this.frozen = false
    this.deadlineMs = this.nowMs()
    if (this.model.stepping) this.schedule()
    else this.startFrom(this.nowMs())
  }

  close(): void {
    this.freeze()
    this.listeners.clear()
  }

  private startFrom(nowMs: number): void {
    const durationMs = this.model.startStep()
    if (durationMs === undefined) return
    this.deadlineMs = nowMs + durationMs
    this.schedule()
  }

  private schedule(): void {
    if (this.frozen) return
    this.unschedule()
    const waitMs = this.deadlineMs - this.nowMs()
    if (waitMs > aheadMs) this.timer = setTimeout(() => this.turn(), waitMs)
    else this.immediate = setImmediate(() => this.turn())
  }

  private unschedule(): void {
    clearTimeout(this.timer)
    clearImmediate(this.immediate)
  }

  private turn(): void {
    const startedMs = this.nowMs()
    this.deadlineMs = Math.max(this.deadlineMs, startedMs - longestLagMs)
    for (let steps = 1; this.model.stepping && this.deadlineMs <= startedMs + aheadMs; steps++) {
      this.endStep()
      if (steps % 16 === 0 && this.nowMs() - startedMs > turnMs) break
    }
    this.report()
    if (this.model.stepping) this.schedule()
  }

  private endStep(): void {
    const { tokens, finished } = this.model.finishStep()
    for (const sequence of tokens) this.touched.set(sequence.id, sequence)
    for (const sequence of finished) this.touched.set(sequence.id, sequence)
    const durationMs = this.model.startStep()
    if (durationMs !== undefined) this.deadlineMs += durationMs
  }

  private report(): void {
    const { touched } = this
    this.touched = new Map()
    for (const [id, sequence] of touched) {
      const listener = this.listeners.get(id)
      if (sequence.state === 'finished') this.listeners.delete(id)
      listener?.onProgress(sequence)
    }
  }
}
