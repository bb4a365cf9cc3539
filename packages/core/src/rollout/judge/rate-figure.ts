import type { JudgeFigure } from '../rollout-status.js'
import { Evidence, type Guess } from './evidence.js'
import { deviations, suspiciousLog, type Circumstances, type Figure } from './figure.js'
import { asCount, asDifference, asPercent } from './figure-words.js'
import type { JudgeSample } from './judge-sample.js'
import { MatchedSets } from './matched-sets.js'

export interface RateFigureOptions {
  readonly name: string
  /** In the reason: `failed`. */
  readonly verb: string
  /** Largest difference of rates that is borne. */
  readonly margin: number
  /** Chance that an equal revision is called worse by this figure. */
  readonly alpha: number
  /** Undefined: this sample says nothing about it. */
  readonly isHit: (sample: JudgeSample) => boolean | undefined
}

/** Odds of 5, 33 and 400 to 1: a few percent more than a noisy old revision, than a quiet one, and broken. */
const guesses: readonly Guess[] = [
  { tilt: 1.6, weight: 0.25 },
  { tilt: 3.5, weight: 0.4 },
  { tilt: 6, weight: 0.35 },
]
/** With fewer of the old revision to go by, and none beside it, more than half of all is called bad, and less is not. */
const leastPast = 50

/** A share of requests that must not grow by more than its margin. */
export class RateFigure implements Figure {
  isBad = false
  private readonly evidence = new Evidence(guesses)
  private readonly sets: MatchedSets
  private readonly seen = { canary: { hits: 0, of: 0 }, baseline: { hits: 0, of: 0 } }

  constructor(private readonly options: RateFigureOptions) {
    this.sets = new MatchedSets({
      caliper: 0,
      onSet: (set) => this.evidence.add(set),
      onAlone: (value) => this.evidence.addAlone(value, this.mostChance()),
    })
  }

  get isSuspicious(): boolean {
    return this.evidence.log >= suspiciousLog && this.mayBeBeyond
  }

  add(sample: JudgeSample, { step }: Circumstances): void {
    const hit = this.isBad ? undefined : this.options.isHit(sample)
    if (hit === undefined) return
    const seen = this.seen[sample.side]
    seen.of += 1
    if (hit) seen.hits += 1
    this.sets.add(sample.side, { value: hit ? 1 : 0, size: 0 }, step)
    this.isBad = this.evidence.log >= -Math.log(this.options.alpha) && this.mayBeBeyond
  }

  describe(): Omit<JudgeFigure, 'verdict'> {
    return {
      name: this.options.name,
      canary: rateOf(this.seen.canary),
      baseline: rateOf(this.seen.baseline),
      unit: 'ratio',
      limit: this.limit,
      confidence: this.evidence.confidence,
    }
  }

  inWords(): string {
    const { canary, baseline } = this.seen
    const old = baseline.of === 0 ? 'the old revision had none to compare with' : `${inWords(baseline)} on the old revision`
    const [low, high] = this.between
    return `${this.options.name}: ${inWords(canary)} ${this.options.verb}, ${old} (${asDifference(low)} to ${asDifference(high)}; ${this.limit})`
  }

  private get limit(): string {
    return `at most ${asDifference(this.options.margin)}`
  }

  /** Whether the limit may be passed: surely worse, and that much is not ruled out. */
  private get mayBeBeyond(): boolean {
    return this.between[1] > this.options.margin
  }

  /** Where the true difference lies in 19 of 20 cases, after A. Agresti and B. Caffo (The American Statistician 54, 2000): each side with one hit and one miss more. */
  private get between(): readonly [number, number] {
    const [canary, baseline] = [this.seen.canary, this.seen.baseline].map(({ hits, of }) => ({
      share: (hits + 1) / (of + 2),
      of: of + 2,
    })) as [Part, Part]
    const error = Math.sqrt((canary.share * (1 - canary.share)) / canary.of + (baseline.share * (1 - baseline.share)) / baseline.of)
    const difference = canary.share - baseline.share
    return [Math.max(-1, difference - deviations * error), Math.min(1, difference + deviations * error)]
  }

  /** What the old revision's rate may have been at most, and the margin. E. B. Wilson's bound (J. Am. Stat. Assoc. 22, 1927), of one in ten thousand. */
  private mostChance(): number {
    const { hits, of } = this.seen.baseline
    if (of < leastPast) return 0.5
    const z2 = 3.72 ** 2
    const share = hits / of
    const spread = Math.sqrt(z2 * ((share * (1 - share)) / of + z2 / (4 * of * of)))
    return Math.min(1, (share + z2 / (2 * of) + spread) / (1 + z2 / of) + this.options.margin)
  }
}

interface Part {
  readonly share: number
  readonly of: number
}

interface Seen {
  readonly hits: number
  readonly of: number
}

function rateOf({ hits, of }: Seen): number | null {
  return of === 0 ? null : hits / of
}

function inWords(seen: Seen): string {
  return `${asPercent(rateOf(seen) ?? 0)} of ${asCount(seen.of)}`
}
