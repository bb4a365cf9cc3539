import type { NodeState, ProbeReport } from '../contracts/index.js'

export interface JudgeLimits {
  /** Failed probes in a row that make a ready node suspect. */
  readonly fall: number
  /** Good probes in a row that bring a doubted node back. */
  readonly rise: number
}

export type ProbeVerdict = 'good' | 'steady' | 'loading' | 'bad' | 'undecided'

/** Turns single probes of one node into verdicts: one slip is not a failure, one answer is not health. */
export class ProbeJudge {
  private goodInARow = 0
  private badInARow = 0

  judge(report: ProbeReport, state: NodeState, limits: JudgeLimits): ProbeVerdict {
    if (report.verdict === 'sick') {
      this.goodInARow = 0
      this.badInARow += 1
      return isFresh(state) || this.badInARow >= limits.fall ? 'bad' : 'undecided'
    }
    this.badInARow = 0
    if (report.verdict === 'loading') {
      this.goodInARow = 0
      return 'loading'
    }
    this.goodInARow += 1
    // A node that has never failed needs no probation.
    return isFresh(state) || state === 'ready' || this.goodInARow >= limits.rise ? 'steady' : 'good'
  }

  /** Whether the last probe failed: the next one comes sooner. */
  get doubting(): boolean {
    return this.badInARow > 0
  }
}

function isFresh(state: NodeState): boolean {
  return state === 'starting' || state === 'loading'
}
