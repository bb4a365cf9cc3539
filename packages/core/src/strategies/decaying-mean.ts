/** Mean cost of a unit over a moving window: what was paid and for how much, both fading with age. Samples need not come evenly. */
export class DecayingMean {
  private paid = 0
  private units = 0
  private samples = 0
  private atMs = 0

  /** `windowMs`: the age at which a sample counts for 1/e. */
  constructor(private readonly windowMs: number) {}

  /** So much was paid for so many units, more than 0. */
  add(paid: number, units: number, nowMs: number): void {
    const kept = this.keptAt(nowMs)
    this.paid = this.paid * kept + paid
    this.units = this.units * kept + units
    this.samples = this.samples * kept + 1
    this.atMs = Math.max(this.atMs, nowMs)
  }

  /** Paid for one unit; NaN before the first sample. */
  get mean(): number {
    return this.paid / this.units
  }

  /** How many fresh samples its samples are worth now. */
  samplesAt(nowMs: number): number {
    return this.samples * this.keptAt(nowMs)
  }

  private keptAt(nowMs: number): number {
    return Math.exp(Math.min(0, this.atMs - nowMs) / this.windowMs)
  }
}
