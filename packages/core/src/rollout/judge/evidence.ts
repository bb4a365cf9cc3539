import type { MatchedSet } from './matched-sets.js'

/** How much larger the canary's values are guessed to be, in multiples of `exp(tilt)`, and how much is put on that guess. */
export interface Guess {
  readonly tilt: number
  readonly weight: number
}

/** Evidence as it is kept over a restart. */
export interface KeptEvidence {
  readonly wealth: readonly number[]
  readonly sets: number
  readonly purse: number
  readonly highest: number
}

/** Of the stake, that is put on later: what was good for long and becomes bad would else have to win back all that was lost meanwhile. */
const keptBack = 0.1
/** After so many sets the next part of it is put on; the nth is as large as 1 / n². */
const everySets = 32
const basel = 6 / Math.PI ** 2

/**
 * How much the sets speak for "the canary's values are larger" against "both are the same": the wealth of somebody who bets on it, beginning with 1.
 *
 * Within a set the canary's value is, if both are the same, any of its values with the same chance. A bet that pays
 * `exp(tilt * canary's value) / mean of exp(tilt * value)` is therefore fair whatever the values are, however they change over the day, and the product of
 * fair bets, averaged over several tilts, is a non-negative martingale: the chance that it ever reaches 1/a, however often it is looked at, is at most a
 * (J. Ville, Etude critique de la notion de collectif, 1939; A. Ramdas, P. Grunwald, V. Vovk, G. Shafer, Game-theoretic statistics and safe anytime-valid
 * inference, Statistical Science 38, 2023, section 4). The bet itself is the soft rank of Z. Ren and R. Barber, Derandomised knockoffs, 2024, and the
 * likelihood of conditional logistic regression for matched sets (N. Breslow and N. Day, Statistical methods in cancer research, volume 1, 1980, chapter 7).
 */
export class Evidence {
  /** Logarithms of the wealth of each guess. */
  private wealth: Float64Array
  /** Not put on anything yet. */
  private purse = keptBack
  private sets = 0
  private total = 0
  private highest = 0

  constructor(private readonly guesses: readonly Guess[]) {
    this.wealth = new Float64Array(guesses.length).fill(Math.log(1 - keptBack))
  }

  /** Logarithm of the evidence now. */
  get log(): number {
    return this.total
  }

  /** How sure it is, 0..1: one minus the p-value that holds at all times. */
  get confidence(): number {
    return 1 - Math.exp(-this.highest)
  }

  /** `values` lie between -4 and 4 or so: far ones are the caller's to cut. */
  add({ side, one, others }: Omit<MatchedSet, 'isPast'>): void {
    if (others.every((other) => other === one)) return
    const sign = side === 'canary' ? 1 : -1
    for (const [index, { tilt }] of this.guesses.entries()) {
      let sum = 1
      for (const other of others) sum += Math.exp(sign * tilt * (other - one))
      this.win(index, Math.log((others.length + 1) / sum))
    }
    this.count()
  }

  /** A value of 0 or 1 for which there is nothing to compare with, but that 1 has at most this chance: fair or worse than fair for any smaller one. */
  addAlone(value: number, mostChance: number): void {
    for (const [index, { tilt }] of this.guesses.entries()) {
      this.win(index, tilt * value - Math.log(1 - mostChance + mostChance * Math.exp(tilt)))
    }
    this.count()
  }

  kept(): KeptEvidence {
    return { wealth: [...this.wealth], sets: this.sets, purse: this.purse, highest: this.highest }
  }

  takeUp({ wealth, sets, purse, highest }: KeptEvidence): void {
    this.wealth = Float64Array.from(wealth)
    this.sets = sets
    this.purse = purse
    this.total = this.sum()
    this.highest = Math.max(highest, this.total)
  }

  private win(index: number, log: number): void {
    this.wealth[index] = (this.wealth[index] as number) + log
  }

  private count(): void {
    this.sets += 1
    if (this.sets % everySets === 0) this.putOn(Math.min(this.purse, (keptBack * basel) / (this.sets / everySets) ** 2))
    this.total = this.sum()
    this.highest = Math.max(this.highest, this.total)
  }

  private putOn(stake: number): void {
    if (stake <= 0) return
    this.purse -= stake
    for (const [index, wealth] of this.wealth.entries()) this.wealth[index] = logOfSum(wealth, Math.log(stake))
  }

  /** Logarithm of all that is put on, and of the purse. */
  private sum(): number {
    let sum = Math.log(Math.max(0, this.purse))
    for (const [index, { weight }] of this.guesses.entries()) sum = logOfSum(sum, Math.log(weight) + (this.wealth[index] as number))
    return sum
  }
}

/** Of two numbers of which only the logarithms are known: neither may fit into a number itself. */
export function logOfSum(left: number, right: number): number {
  const most = Math.max(left, right)
  return most === Number.NEGATIVE_INFINITY ? most : most + Math.log1p(Math.exp(Math.min(left, right) - most))
}
