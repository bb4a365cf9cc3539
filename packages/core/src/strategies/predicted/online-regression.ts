/** Variance of each weight before the first sample, and the most that it may become: nothing is known of it. */
const UNKNOWN = 1e6
/** Variance of a sample around the truth, as a share of its value: 20 % up or down are ordinary. */
const NOISE = 0.04
/** A sample counts as so many times the prediction at most, and as that part of it at least: one outlier moves little, a lasting change comes through. */
const FARTHEST = 4
/** Samples for each weight that are taken as they are: there is no prediction yet that could tell an outlier. */
const NEW = 3
/** Of the mean value; no prediction is smaller where values are compared with it. */
const SMALLEST = 0.1
/** Values have no meaning below. */
const LEAST = 0.001
/** Weight of one more value in that mean. */
const MEAN_LEARNING = 0.02
/** Mean error of late, as a share, from which on the samples must have changed, not erred; and how far weights may then wander with each of them. */
const CHANGED = 0.5
const CHANGED_DRIFT = 0.1
const BIAS_LEARNING = 0.1
/** How far the weights of two of a kind are expected to differ, as a share of themselves. */
const UNLIKE = 0.3

/**
 * Learns y = w x one sample at a time, in O(n2) and without keeping samples: recursive least squares in the form of a Kalman filter whose weights drift
 * (Haykin, "Adaptive Filter Theory"), so that what was learned fades only as far as new samples say otherwise, and a weight that is not exercised never
 * blows up. Errors count relative to the value, so that a quiet minute teaches as much as a jam. Weights stay at or above 0: more work never makes
 * anything faster, whatever two features that move together suggest.
 */
export class OnlineRegression {
  samples = 0
  private mean = 0
  private bias = 0
  private readonly weights: Float64Array
  /** Covariance of the weights, row by row. */
  private readonly spread: Float64Array
  private readonly gain: Float64Array

  /** `drift`: how far a weight may wander from one sample to the next, as a share of itself. */
  constructor(
    private readonly size: number,
    private readonly drift: number,
  ) {
    this.weights = new Float64Array(size)
    this.spread = new Float64Array(size * size)
    this.gain = new Float64Array(size)
    for (let i = 0; i < size; i += 1) this.spread[i * (size + 1)] = UNKNOWN
  }

  /** `features` from `at` on. */
  predict(features: Float64Array, at = 0): number {
    let sum = 0
    for (let i = 0; i < this.size; i += 1) sum += (this.weights[i] ?? 0) * (features[at + i] ?? 0)
    return sum
  }

  learn(features: Float64Array, value: number): void {
    this.samples += 1
    this.mean += Math.max(MEAN_LEARNING, 1 / this.samples) * (value - this.mean)
    const predicted = this.predict(features)
    const compared = Math.max(predicted, SMALLEST * this.mean, LEAST)
    const isNew = this.samples <= NEW * this.size
    const taken = isNew ? value : Math.min(FARTHEST * compared, Math.max(compared / FARTHEST, value))
    const scale = isNew ? Math.max(value, SMALLEST * this.mean, LEAST) : Math.sqrt(compared * taken)
    const error = (taken - predicted) / scale
    this.bias += isNew ? 0 : BIAS_LEARNING * (error - this.bias)
    this.wander(Math.abs(this.bias) > CHANGED ? Math.max(this.drift, CHANGED_DRIFT) : this.drift)
    this.step(error, NOISE + this.aim(features, scale))
  }

  /** Another of its kind, that knows what this one knows and doubts it a little. */
  fork(): OnlineRegression {
    const other = new OnlineRegression(this.size, this.drift)
    other.samples = Math.max(this.samples, NEW * this.size)
    other.mean = this.mean
    other.weights.set(this.weights)
    for (let i = 0; i < this.size; i += 1) other.spread[i * (this.size + 1)] = (UNLIKE * (1 + (this.weights[i] ?? 0))) ** 2
    return other
  }

  /** Each weight may have changed since the last sample. */
  private wander(drift: number): void {
    for (let i = 0; i < this.size; i += 1) {
      const cell = i * (this.size + 1)
      this.spread[cell] = (this.spread[cell] ?? 0) + (drift * (1 + (this.weights[i] ?? 0))) ** 2
    }
  }

  /** Sets the gain to spread x features; returns features x spread x features. */
  private aim(features: Float64Array, scale: number): number {
    let surprise = 0
    for (let i = 0; i < this.size; i += 1) {
      let sum = 0
      for (let j = 0; j < this.size; j += 1) sum += (this.spread[i * this.size + j] ?? 0) * (features[j] ?? 0)
      this.gain[i] = sum / scale
      surprise += (sum / scale) * ((features[i] ?? 0) / scale)
    }
    return Math.max(0, surprise)
  }

  private step(error: number, whole: number): void {
    for (let i = 0; i < this.size; i += 1) {
      const own = (this.gain[i] ?? 0) / whole
      this.weights[i] = (this.weights[i] ?? 0) + own * error
      for (let j = 0; j < this.size; j += 1) {
        const cell = i * this.size + j
        this.spread[cell] = (this.spread[cell] ?? 0) - own * (this.gain[j] ?? 0)
      }
    }
    for (let i = 0; i < this.size; i += 1) this.bound(i)
    for (let i = 0; i < this.size; i += 1) this.lift(i)
    for (let i = 0; i < this.size; i += 1) this.weights[i] = Math.max(0, this.weights[i] ?? 0)
  }

  /** Sets a weight below 0 to 0 and moves the others as they move with it: what they say together stays as it was. */
  private lift(i: number): void {
    const weight = this.weights[i] ?? 0
    const variance = this.spread[i * (this.size + 1)] ?? 0
    if (!(weight < 0) || !(variance > 0)) return
    for (let j = 0; j < this.size; j += 1)
      this.weights[j] = (this.weights[j] ?? 0) - ((this.spread[j * this.size + i] ?? 0) * weight) / variance
  }

  /** Keeps one variance between rounding and `UNKNOWN`. */
  private bound(i: number): void {
    const variance = this.spread[i * (this.size + 1)] ?? 0
    if (variance > 0 && variance <= UNKNOWN) return
    const factor = variance > 0 ? Math.sqrt(UNKNOWN / variance) : 0
    for (let j = 0; j < this.size; j += 1) {
      this.spread[i * this.size + j] = (this.spread[i * this.size + j] ?? 0) * factor
      this.spread[j * this.size + i] = (this.spread[j * this.size + i] ?? 0) * factor
    }
    if (factor === 0) this.spread[i * (this.size + 1)] = 1e-9
  }
}
