/** Spread of each weight before the first sample: nothing is known of it. */
const FIRST_SPREAD = 1e6
/** A spread that forgetting must not blow up beyond: long quiet stretches teach nothing. */
const LARGEST_SPREAD = 1e7
/** Largest error, as a share of the prediction: an outlier moves the weights no more than a sample twice as large as predicted would. */
const LARGEST_ERROR = 1
const SMALLEST_SCALE = 1
/** Samples for each weight in which errors are not cut: there is no prediction yet that could tell an outlier. */
const NEW = 3

/**
 * Recursive least squares with forgetting: learns y = w x one sample at a time, in O(n2) and without keeping samples (Haykin, "Adaptive Filter Theory").
 * Errors count relative to the prediction, so that a quiet minute teaches as much as a jam; each is cut at `LARGEST_ERROR`. Weights stay at or above 0:
 * more work never makes anything faster, whatever two features that move together suggest.
 */
export class OnlineRegression {
  samples = 0
  private readonly weights: Float64Array
  /** Covariance of the weights, row by row. */
  private readonly spread: Float64Array
  private readonly gain: Float64Array

  /** `kept`: what a sample still counts for when the next one has come, 0..1. */
  constructor(
    private readonly size: number,
    private readonly kept: number,
  ) {
    this.weights = new Float64Array(size)
    this.spread = new Float64Array(size * size)
    this.gain = new Float64Array(size)
    this.resetSpread()
  }

  /** `features` from `at` on. */
  predict(features: Float64Array, at = 0): number {
    let sum = 0
    for (let i = 0; i < this.size; i += 1) sum += (this.weights[i] ?? 0) * (features[at + i] ?? 0)
    return sum
  }

  learn(features: Float64Array, value: number): void {
    const predicted = this.predict(features)
    const isNew = this.samples < NEW * this.size
    const scale = Math.max(SMALLEST_SCALE, isNew ? value : predicted)
    const error = (value - predicted) / scale
    const cut = isNew ? error : Math.min(LARGEST_ERROR, Math.max(-LARGEST_ERROR, error))
    const surprise = this.aim(features, scale)
    if (!(surprise >= 0) || surprise === Infinity) return this.resetSpread()
    this.samples += 1
    const whole = this.kept + surprise
    for (let i = 0; i < this.size; i += 1) this.weights[i] = Math.max(0, (this.weights[i] ?? 0) + ((this.gain[i] ?? 0) * cut) / whole)
    this.narrow(whole)
  }

  /** Sets the gain to spread x features; returns features x spread x features. */
  private aim(features: Float64Array, scale: number): number {
    let surprise = 0
    for (let i = 0; i < this.size; i += 1) {
      let sum = 0
      for (let j = 0; j < this.size; j += 1) sum += ((this.spread[i * this.size + j] ?? 0) * (features[j] ?? 0)) / scale
      this.gain[i] = sum
      surprise += (sum * (features[i] ?? 0)) / scale
    }
    return surprise
  }

  private narrow(whole: number): void {
    for (let i = 0; i < this.size; i += 1)
      for (let j = 0; j < this.size; j += 1) {
        const cell = i * this.size + j
        this.spread[cell] = (this.spread[cell] ?? 0) - ((this.gain[i] ?? 0) * (this.gain[j] ?? 0)) / whole
      }
    let widest = 0
    for (let i = 0; i < this.size; i += 1) widest = Math.max(widest, this.spread[i * (this.size + 1)] ?? 0)
    if (widest > LARGEST_SPREAD) return
    for (let cell = 0; cell < this.spread.length; cell += 1) this.spread[cell] = (this.spread[cell] ?? 0) / this.kept
  }

  /** Keeps the weights: rounding has spoilt what was known of their spread. */
  private resetSpread(): void {
    this.spread.fill(0)
    for (let i = 0; i < this.size; i += 1) this.spread[i * (this.size + 1)] = FIRST_SPREAD
  }
}
