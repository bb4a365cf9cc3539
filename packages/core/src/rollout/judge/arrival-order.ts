import type { JudgeSample } from './judge-sample.js'

/** The longest of so many durations is the wait. */
const learnFrom = 50
const kept = 4_000

/**
 * Passes samples on in the order of their arrival, each once the wait has gone by since, and leaves out those that took longer. In the order of their ends a
 * new side would look as if it answered shortly: what has ended by then is what ends soon. Time is what samples say it is.
 */
export class ArrivalOrder {
  private waitMs: number | undefined
  private durations: number[] = []
  /** Oldest arrival first. */
  private readonly waiting: JudgeSample[] = []

  constructor(private readonly onSample: (sample: JudgeSample) => void) {}

  add(sample: JudgeSample): void {
    const { startedAtMs, endedAtMs } = sample
    if (this.waitMs === undefined) this.learn(endedAtMs - startedAtMs)
    if (this.waiting.length < kept) this.insert(sample)
    if (this.waitMs === undefined) return
    while (this.waiting.length > 0 && (this.waiting[0] as JudgeSample).startedAtMs + this.waitMs <= endedAtMs) {
      const next = this.waiting.shift() as JudgeSample
      if (next.endedAtMs - next.startedAtMs <= this.waitMs) this.onSample(next)
    }
  }

  private learn(durationMs: number): void {
    this.durations.push(durationMs)
    if (this.durations.length < learnFrom) return
    this.waitMs = Math.max(...this.durations)
    this.durations = []
  }

  private insert(sample: JudgeSample): void {
    let at = this.waiting.length
    while (at > 0 && (this.waiting[at - 1] as JudgeSample).startedAtMs > sample.startedAtMs) at -= 1
    this.waiting.splice(at, 0, sample)
  }
}
