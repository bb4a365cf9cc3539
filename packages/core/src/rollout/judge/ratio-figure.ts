import type { JudgeFigure } from '../rollout-status.js'
import { Evidence, type Guess } from './evidence.js'
import { suspiciousLog, type Figure } from './figure.js'
import { asRatio, inUnit } from './figure-words.js'
import type { JudgeSample } from './judge-sample.js'
import { MatchedSets, type MatchedSet, type Measure } from './matched-sets.js'
import { medianOf, RecentPairs } from './recent-pairs.js'

export interface RatioFigureOptions {
  readonly name: string
  readonly unit: 'ms' | 'tokens'
  /** Largest ratio that is borne; where shorter is as bad as longer, its inverse too. */
  readonly ratio: number
  readonly bothWays?: boolean
  readonly alpha: number
  /** Of sizes, as logarithms. */
  readonly caliper: number
  /** Measured on a plain scale; null: this sample says nothing about it. */
  readonly measure: (sample: JudgeSample) => Measure | null
}

/** For times that vary by a factor of 1.6 (a standard deviation of 0.5 on the log scale): half as slow again is 1.6, three times is 4.4. */
const tilts: readonly Guess[] = [
  { tilt: 0.7, weight: 0.25 },
  { tilt: 1.6, weight: 0.45 },
  { tilt: 4, weight: 0.3 },
]
/** On the log scale; what lies further from the middle of its set says no more. */
const farthest = 1.5

/** A time or a length that must not grow by more than a factor, compared on the log scale within sets of like requests. */
export class RatioFigure implements Figure {
  isBad = false
  private readonly evidence: Evidence
  private readonly sets: MatchedSets
  private readonly pairs = new RecentPairs()

  constructor(private readonly options: RatioFigureOptions) {
    const other = tilts.map(({ tilt, weight }) => ({ tilt: -tilt, weight: weight / 2 }))
    const longer = tilts.map(({ tilt, weight }) => ({ tilt, weight: weight / 2 }))
    this.evidence = new Evidence(options.bothWays === true ? [...longer, ...other] : tilts)
    this.sets = new MatchedSets({ caliper: options.caliper, onSet: (set) => this.learn(set) })
  }

  get isSuspicious(): boolean {
    return this.evidence.log >= suspiciousLog && this.isBeyond
  }

  add(sample: JudgeSample): void {
    const measure = this.isBad ? null : this.options.measure(sample)
    if (measure === null || measure.value <= 0) return
    this.sets.add(sample.side, { value: Math.log(measure.value), size: measure.size })
  }

  describe(): Omit<JudgeFigure, 'verdict'> {
    const { name, unit } = this.options
    const ratio = this.pairs.ratio
    const canary = this.pairs.canary
    const baseline = canary === null || ratio === null ? null : canary / ratio
    return { name, canary, baseline, unit, limit: this.limit, confidence: this.evidence.confidence }
  }

  inWords(): string {
    const { name, unit } = this.options
    const { canary, baseline } = this.describe()
    if (canary === null || baseline === null) return `${name}: nothing to compare`
    const times = `${inUnit(canary, unit)} against ${inUnit(baseline, unit)} for like requests of the old revision`
    return `${name}: ${times}, ${asRatio(canary / baseline)} (${this.limit})`
  }

  private get limit(): string {
    const { ratio, bothWays } = this.options
    return bothWays === true ? `${asRatio(1 / ratio)} to ${asRatio(ratio)}` : `at most ${asRatio(ratio)}`
  }

  private get isBeyond(): boolean {
    const ratio = this.pairs.ratio
    if (ratio === null) return false
    return ratio > this.options.ratio || (this.options.bothWays === true && ratio < 1 / this.options.ratio)
  }

  private learn(set: MatchedSet): void {
    const middle = medianOf([set.one, ...set.others])
    const near = (value: number) => Math.max(-farthest, Math.min(farthest, value - middle))
    this.evidence.add({ side: set.side, one: near(set.one), others: set.others.map(near) })
    this.pairs.add(set)
    this.isBad = this.evidence.log >= -Math.log(this.options.alpha) && this.isBeyond
  }
}
