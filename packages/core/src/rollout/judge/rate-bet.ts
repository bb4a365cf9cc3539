import { Evidence, type Guess, type KeptEvidence } from './evidence.js'
import type { JudgeSample } from './judge-sample.js'
import { MatchedSets, type KeptPast } from './matched-sets.js'

/** Odds of 5, 33 and 400 to 1: a few percent more than a noisy old revision, than a quiet one, and broken. */
const guesses: readonly Guess[] = [
  { tilt: 1.6, weight: 0.25 },
  { tilt: 3.5, weight: 0.4 },
  { tilt: 6, weight: 0.35 },
]

export interface RateBetOptions {
  /** The old revision's past stands in for it where there is little of it beside the new one. */
  readonly withPast: boolean
  /** A canary's hit has at most this chance where there is nothing at all to compare it with. */
  readonly mostChance: () => number
}

export interface KeptBet {
  readonly evidence: KeptEvidence
  readonly past: KeptPast
}

/** What speaks for "it happens more often on the new revision". */
export class RateBet {
  private readonly evidence = new Evidence(guesses)
  private readonly sets: MatchedSets

  constructor({ withPast, mostChance }: RateBetOptions) {
    this.sets = new MatchedSets({
      caliper: 0,
      withPast,
      onSet: (set) => this.evidence.add(set),
      onAlone: (value) => this.evidence.addAlone(value, mostChance()),
    })
  }

  get log(): number {
    return this.evidence.log
  }

  add(side: JudgeSample['side'], hit: boolean, step: number): void {
    this.sets.add(side, { value: hit ? 1 : 0, size: 0 }, step)
  }

  kept(): KeptBet {
    return { evidence: this.evidence.kept(), past: this.sets.kept() }
  }

  takeUp({ evidence, past }: KeptBet): void {
    this.evidence.takeUp(evidence)
    this.sets.takeUp(past)
  }
}
