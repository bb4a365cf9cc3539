import type { JudgeFigure } from '../rollout-status.js'
import type { JudgeSample } from './judge-sample.js'

/** One thing that both sides are compared by. */
export interface Figure {
  add(sample: JudgeSample): void
  /** Surely worse than the old one, and by more than it may be. */
  readonly isBad: boolean
  /** Looks worse than it may be, but chance may still be the cause. */
  readonly isSuspicious: boolean
  describe(): Omit<JudgeFigure, 'verdict'>
  /** Both sides in words: `errors: 5.2 % of 97 requests against 0.1 % of 1,840 (at most +1 %)`. */
  inWords(): string
}

/** Evidence of 20 or more comes to one of twenty equal revisions: worth waiting for, no reason to go back. */
export const suspiciousLog = Math.log(20)
