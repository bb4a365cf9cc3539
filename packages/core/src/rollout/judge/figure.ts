import type { JudgeFigure } from '../rollout-status.js'
import type { JudgeSample } from './judge-sample.js'

/** What else is known of a sample's request. */
export interface Circumstances {
  /** Of the rollout, in which it began. */
  readonly step: number
  /** It began with the step itself, in a crowd perhaps. */
  readonly isEarly: boolean
  /** It is one of the first of a new node, which has to warm up: its times say nothing. */
  readonly isWarmingUp: boolean
  /** Logarithm of how much more a new node has to do than an old one; 0 or more. */
  readonly load: number
}

/** One thing that both sides are compared by. */
export interface Figure {
  add(sample: JudgeSample, circumstances: Circumstances): void
  /** Surely worse than the old one, and that it is so by more than it may be is not ruled out. */
  readonly isBad: boolean
  /** Looks so, but chance may still be the cause. */
  readonly isSuspicious: boolean
  describe(): Omit<JudgeFigure, 'verdict'>
  /** Plain data, bounded: all that its verdict rests on. */
  kept(): object
  /** What another of the same plan has kept. */
  takeUp(kept: object): void
  /** Both sides in words: `errors: 5.2 % of 97 requests against 0.1 % of 1,840 (at most +1 %)`. */
  inWords(): string
}

/** Evidence of 20 or more comes to one of twenty equal revisions: worth waiting for, no reason to go back. */
export const suspiciousLog = Math.log(20)

/** Standard errors about a figure in which the true one lies in 19 of 20 cases. */
export const deviations = 1.96
