import type { Clock } from '../base/index.js'

/** An average that forgets: an observation's share halves with each `halfLifeMs` that passes between observations. */
export class Ewma {
  private average: number | undefined
  private observedAtMs = 0

  constructor(
    private readonly clock: Clock,
    private readonly halfLifeMs: number,
  ) {}

  observe(value: number): void {
    const nowMs = this.clock.nowMs()
    // Observations of one instant get a small share each, or the last one would not count at all.
    const kept = Math.min(0.9, 2 ** ((this.observedAtMs - nowMs) / this.halfLifeMs))
    this.average = this.average === undefined ? value : kept * this.average + (1 - kept) * value
    this.observedAtMs = nowMs
  }

  /** Undefined before the first observation. */
  get value(): number | undefined {
    return this.average
  }
}
