import type { JudgeReport, RolloutStatus } from './rollout-status.js'
import type { RolloutVerb, RolloutWish } from './rollout-wish.js'

/** One revision that a pool has had. */
export interface RevisionEntry {
  /** `r2`. */
  readonly revision: string
  readonly pool: string
  readonly group: string
  /** Of all that its nodes launch, with the content of the weights; 8 hexadecimal digits. */
  readonly hash: string
  readonly model: string
  /** Of the weights: a commit, a digest; null: its engine does not tell. */
  readonly content: string | null
  /** Why nobody can tell its content; absent: it is told, or nobody knows why not. */
  readonly contentUnknown?: string
  /** Epoch. */
  readonly firstSeenAtMs: number
  readonly isRunning: boolean
  /** What its last rollout came to; null: it was declared. */
  readonly outcome: 'promoted' | 'rolled-back' | 'aborted' | 'failed' | null
}

/** What people may ask of rollouts. What cannot be done throws an LbError with `httpStatus` and a hint. */
export interface RolloutDesk {
  /** Resolves when it has begun. Throws LB_ROLLOUT_REFUSED (409) where one runs in this pool, LB_ROLLOUT_IMPOSSIBLE (422) with the reason, or TopologyErrors. */
  start(wish: RolloutWish): Promise<RolloutStatus>
  /** Throws LB_NO_ROLLOUT (404), or LB_ROLLOUT_REFUSED (409) where its phase does not allow it. */
  act(pool: string, verb: RolloutVerb): Promise<RolloutStatus>
  /** Running ones and past ones, newest first. */
  list(): readonly RolloutStatus[]
  /** Newest first. */
  revisions(pool: string): readonly RevisionEntry[]
  /** Both sides of what runs now, with confidence. Throws LB_NO_ROLLOUT. */
  compare(pool: string): JudgeReport
}
