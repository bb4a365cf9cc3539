import type { Circumstances } from './figure.js'
import type { JudgeSample } from './judge-sample.js'

/** The longest of so many durations is the wait. */
const learnFrom = 50
const kept = 4_000

interface Waiting {
  readonly sample: JudgeSample
  readonly circumstances: Circumstances
  readonly startedAtMs: number
  readonly durationMs: number
}

/**
 * Passes samples on in the order in which they began, each once the wait has gone by since, and leaves out those that took longer. For lengths: in the order
 * of their ends the long ones come last, and whoever is compared with what ended just before looks long. Time is what samples say it is.
 */
export class ArrivalOrder {
  private waitMs: number | undefined
  private durations: number[] = []
  /** Oldest first. */
  private readonly waiting: Waiting[] = []

  constructor(private readonly onSample: (sample: JudgeSample, circumstances: Circumstances) => void) {}

  add(sample: JudgeSample, circumstances: Circumstances): void {
    const { startedAtMs, endedAtMs } = sample
    if (startedAtMs === null || endedAtMs === null) return this.onSample(sample, circumstances)
    const durationMs = endedAtMs - startedAtMs
    if (this.waitMs === undefined) this.learn(durationMs)
    if (this.waiting.length < kept) this.insert({ sample, circumstances, startedAtMs, durationMs })
    if (this.waitMs !== undefined) this.release(endedAtMs - this.waitMs, this.waitMs)
  }

  private learn(durationMs: number): void {
    this.durations.push(durationMs)
    if (this.durations.length < learnFrom) return
    this.waitMs = Math.max(...this.durations)
    this.durations = []
  }

  private insert(sample: Waiting): void {
    let at = this.waiting.length
    while (at > 0 && (this.waiting[at - 1] as Waiting).startedAtMs > sample.startedAtMs) at -= 1
    this.waiting.splice(at, 0, sample)
  }

  private release(untilMs: number, waitMs: number): void {
    while (this.waiting.length > 0 && (this.waiting[0] as Waiting).startedAtMs <= untilMs) {
      const { sample, circumstances, durationMs } = this.waiting.shift() as Waiting
      if (durationMs <= waitMs) this.onSample(sample, circumstances)
    }
  }
}
