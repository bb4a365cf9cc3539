import type { JudgeFigure } from '../rollout-status.js'
import { ArrivalOrder } from './arrival-order.js'
import { Evidence, type Guess, type KeptEvidence } from './evidence.js'
import { deviations, suspiciousLog, type Circumstances, type Figure } from './figure.js'
import { asRatio, inUnit } from './figure-words.js'
import type { JudgeSample } from './judge-sample.js'
import { MatchedSets, type KeptPast, type MatchedSet, type Measure } from './matched-sets.js'
import { medianOf, RecentPairs, type KeptPairs } from './recent-pairs.js'

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
const timeTilts: readonly Guess[] = [
  { tilt: 0.7, weight: 0.25 },
  { tilt: 1.6, weight: 0.45 },
  { tilt: 4, weight: 0.3 },
]
/** For lengths, which vary by more than 3, longer or shorter. */
const lengthTilts: readonly Guess[] = [0.3, 0.8, -0.3, -0.8].map((tilt) => ({ tilt, weight: 0.25 }))
/** For times that are beyond what is borne by as much again or more: a fifth is 0.8, as much as doubled 2.5. */
const timesBeyond: readonly Guess[] = [
  { tilt: 0.8, weight: 0.6 },
  { tilt: 2.5, weight: 0.4 },
]
/** Times that are longer by no more than this part of their limit, as logarithms, stay: x1.2 of x1.5. Between that and the limit they are less and less likely to. */
const borneOfLimit = 0.45
/** Chance that they do not. */
const staysNot = 0.05
/** On the log scale; what lies further from the middle of its set says no more. */
const farthest = 1.5
/** Times of the old revision from before the new one began may be those of an easier hour: they count as if they had been twice as long. */
const pastHandicap = Math.log(2)

/** As it is kept over a restart. */
interface KeptRatio {
  readonly evidence: KeptEvidence
  readonly beyond: KeptEvidence | null
  readonly past: KeptPast
  readonly pairs: KeptPairs
}

/** A time or a length that must not grow by more than a factor, compared on the log scale within sets of like requests. */
export class RatioFigure implements Figure {
  isBad = false
  /** That it is worse at all. */
  private readonly evidence: Evidence
  /** That it is so by more than is borne. Lengths vary so much that nobody could wait for it. */
  private readonly beyond: Evidence | undefined
  private readonly sets: MatchedSets
  private readonly pairs = new RecentPairs()
  private readonly order: ArrivalOrder | undefined
  private load = 0

  constructor(private readonly options: RatioFigureOptions) {
    this.evidence = new Evidence(options.bothWays === true ? lengthTilts : timeTilts)
    this.beyond = options.bothWays === true ? undefined : new Evidence(timesBeyond)
    this.sets = new MatchedSets({ caliper: options.caliper, onSet: (set) => this.learn(set) })
    if (options.bothWays === true) this.order = new ArrivalOrder((sample, circumstances) => this.take(sample, circumstances))
  }

  get isSuspicious(): boolean {
    return this.evidence.log >= suspiciousLog && this.mayBeBeyond
  }

  add(sample: JudgeSample, circumstances: Circumstances): void {
    if (this.isBad) return
    if (this.order === undefined) this.take(sample, circumstances)
    else this.order.add(sample, circumstances)
  }

  kept(): KeptRatio {
    return { evidence: this.evidence.kept(), beyond: this.beyond?.kept() ?? null, past: this.sets.kept(), pairs: this.pairs.kept() }
  }

  takeUp({ evidence, beyond, past, pairs }: KeptRatio): void {
    this.evidence.takeUp(evidence)
    if (beyond !== null) this.beyond?.takeUp(beyond)
    this.sets.takeUp(past)
    this.pairs.takeUp(pairs)
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
    const [low, high] = this.within(deviations)
    return `${name}: ${times}, ${asRatio(canary / baseline)} (${asRatio(low)} to ${asRatio(high)}; ${this.limit})`
  }

  private get limit(): string {
    const { ratio, bothWays } = this.options
    return bothWays === true ? `${asRatio(1 / ratio)} to ${asRatio(ratio)}` : `at most ${asRatio(ratio)}`
  }

  /** Whether the limit may be passed: as much is not ruled out. */
  private get mayBeBeyond(): boolean {
    const { ratio, bothWays } = this.options
    const [low, high] = this.within(deviations)
    return high > ratio || (bothWays === true && low < 1 / ratio)
  }

  /** The ratio, and so many standard errors to both sides. */
  private within(errors: number): readonly [number, number] {
    const { ratio, error } = this.pairs
    return ratio === null ? [0, Number.POSITIVE_INFINITY] : [ratio * Math.exp(-errors * error), ratio * Math.exp(errors * error)]
  }

  private take(sample: JudgeSample, { step, isEarly, isWarmingUp, load }: Circumstances): void {
    const isTime = this.options.bothWays !== true
    const measure = this.isBad || (isTime && isWarmingUp) ? null : this.options.measure(sample)
    // What engines tell may be anything: one infinite value would spoil all that comes after it.
    if (measure === null || !(measure.value > 0) || !Number.isFinite(measure.value) || !Number.isFinite(measure.size)) return
    this.load = load
    this.sets.add(sample.side, { value: Math.log(measure.value), size: measure.size, isEarly }, step)
  }

  private learn(set: MatchedSet): void {
    const isTime = this.options.bothWays !== true
    // What people ask for changes over the day, and no handicap covers both ways.
    if (set.isPast && !isTime) return
    const handicap = isTime ? Math.max(this.load, set.isPast ? pastHandicap : 0) : 0
    this.evidence.add(handicapped(set, handicap))
    this.beyond?.add(handicapped(set, Math.max(handicap, borneOfLimit * Math.log(this.options.ratio))))
    this.pairs.add(set)
    const isWorse = this.evidence.log >= -Math.log(this.options.alpha)
    const isBeyond = this.beyond === undefined || this.beyond.log >= -Math.log(staysNot)
    this.isBad = isWorse && isBeyond && this.mayBeBeyond
  }
}

/** As if the old revision's values were larger by so much: a bet on such sets is one against "the canary's are larger by that at most". Far ones are cut. */
function handicapped({ side, one, others }: MatchedSet, handicap: number): Omit<MatchedSet, 'isPast'> {
  const [mine, theirs] = side === 'canary' ? [0, handicap] : [handicap, 0]
  const values = [one + mine, ...others.map((value) => value + theirs)]
  const middle = medianOf(values)
  const [first = 0, ...rest] = values.map((value) => Math.max(-farthest, Math.min(farthest, value - middle)))
  return { side, one: first, others: rest }
}
