import type { JudgeFigure } from '../rollout-status.js'
import { logOfSum } from './evidence.js'
import { deviations, suspiciousLog, type Circumstances, type Figure } from './figure.js'
import { asCount, asDifference, asPercent } from './figure-words.js'
import type { JudgeSample } from './judge-sample.js'
import { RateBet, type KeptBet } from './rate-bet.js'
import { RecentRate } from './recent-rate.js'

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

/**
 * Beside half of the requests as many of the old revision say little: a failure there is worth one half. Most is therefore bet with its past in the sets, which
 * is right as long as it fails no more often now than it did then; the rest is bet on requests of the same time alone, which is always right.
 */
const bets = { withPast: 0.9, beside: 0.1 } as const
/** Evidence that requests of the same time must give on their own: should the old revision fail more often now, one rollout of thirty at most goes back for nothing. */
const leastBeside = Math.log(30)
/** With fewer of the old revision to go by, and none beside it, more than half of all is called bad, and less is not. */
const leastPast = 50

/** A share of requests that must not grow by more than its margin. */
export class RateFigure implements Figure {
  isBad = false
  private readonly beside = new RateBet({ withPast: false, mostChance: () => this.mostChance() })
  private readonly withPast = new RateBet({ withPast: true, mostChance: () => this.mostChance() })
  private seen = { canary: { hits: 0, of: 0 }, baseline: { hits: 0, of: 0 } }
  private readonly recent = { canary: new RecentRate(), baseline: new RecentRate() }
  /** The highest evidence so far, as a logarithm. */
  private highest = 0

  constructor(private readonly options: RateFigureOptions) {}

  get isSuspicious(): boolean {
    return this.log >= suspiciousLog && this.mayBeBeyond
  }

  add(sample: JudgeSample, { step }: Circumstances): void {
    const hit = this.isBad ? undefined : this.options.isHit(sample)
    if (hit === undefined) return
    const seen = this.seen[sample.side]
    seen.of += 1
    if (hit) seen.hits += 1
    this.recent[sample.side].add(hit)
    for (const bet of [this.beside, this.withPast]) bet.add(sample.side, hit, step)
    const { log } = this
    this.highest = Math.max(this.highest, log)
    this.isBad = log >= -Math.log(this.options.alpha) && this.beside.log >= leastBeside && this.mayBeBeyond
  }

  kept(): KeptRate {
    return {
      seen: this.seen,
      recent: { canary: this.recent.canary.kept(), baseline: this.recent.baseline.kept() },
      beside: this.beside.kept(),
      withPast: this.withPast.kept(),
      highest: this.highest,
    }
  }

  takeUp({ seen, recent, beside, withPast, highest }: KeptRate): void {
    this.seen = { canary: { ...seen.canary }, baseline: { ...seen.baseline } }
    for (const side of ['canary', 'baseline'] as const) this.recent[side].takeUp(recent[side])
    this.beside.takeUp(beside)
    this.withPast.takeUp(withPast)
    this.highest = highest
  }

  describe(): Omit<JudgeFigure, 'verdict'> {
    return {
      name: this.options.name,
      canary: rateOf(this.seen.canary),
      baseline: rateOf(this.seen.baseline),
      unit: 'ratio',
      limit: this.limit,
      confidence: 1 - Math.exp(-this.highest),
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

  /** Logarithm of all that both bets have made of 1. */
  private get log(): number {
    return logOfSum(Math.log(bets.withPast) + this.withPast.log, Math.log(bets.beside) + this.beside.log)
  }

  /** Whether the limit may be passed: surely worse, and that much is not ruled out. */
  private get mayBeBeyond(): boolean {
    return this.between[1] > this.options.margin
  }

  /** Where the true difference of late lies in 19 of 20 cases, after A. Agresti and B. Caffo (The American Statistician 54, 2000): each side with one hit and one miss more. */
  private get between(): readonly [number, number] {
    const [canary, baseline] = [this.recent.canary, this.recent.baseline].map(({ hits, of }) => ({
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

/** As it is kept over a restart. */
interface KeptRate {
  readonly seen: Readonly<Record<JudgeSample['side'], Seen>>
  readonly recent: Readonly<Record<JudgeSample['side'], Seen>>
  readonly beside: KeptBet
  readonly withPast: KeptBet
  readonly highest: number
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
