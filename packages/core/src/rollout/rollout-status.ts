import type { RolloutKind } from '../topology/index.js'

/**
 * Where a rollout is. `preparing`: weights are fetched, the plan is made. `stepping`: nodes start or end, shares change. `holding`: a step is watched.
 * `paused`: somebody wished it. `asking`: the judge said no, and a person decides. `rolling-back`: the old revision takes everything again.
 * The last four are ends: `promoted`, `rolled-back`, `aborted` (somebody wished the old one back), `failed` (not even the way back worked).
 */
export type RolloutPhase =
  | 'preparing'
  | 'stepping'
  | 'holding'
  | 'paused'
  | 'asking'
  | 'rolling-back'
  | 'promoted'
  | 'rolled-back'
  | 'aborted'
  | 'failed'

/** One side of a rollout. */
export interface RolloutSide {
  /** `r2`. */
  readonly revision: string
  /** Of all that its nodes launch, with the content of the weights; 8 hexadecimal digits. */
  readonly hash: string
  /** What it serves, for people. */
  readonly model: string
  /** Node ids. */
  readonly nodes: readonly string[]
}

export type FigureVerdict = 'good' | 'bad' | 'undecided'

/** One thing that both sides are compared by. */
export interface JudgeFigure {
  /** `errors`, `refused`, `ttft`, `tpot`, `empty`, `repeated`, `malformed`, `length`, `golden`, or the name of a metric. */
  readonly name: string
  /** Of the new revision and the old one, in `unit`; null: nothing was seen. */
  readonly canary: number | null
  readonly baseline: number | null
  readonly unit: 'ratio' | 'ms' | 'tokens' | 'count' | 'number'
  /** What it must keep to, for people: `at most +1 %`. */
  readonly limit: string
  readonly verdict: FigureVerdict
  /** How sure it is that the new one is worse, however often this is looked at: 0..1; absent: nothing to be sure of. */
  readonly confidence?: number
}

/** What the judge says so far. */
export interface JudgeReport {
  readonly verdict: FigureVerdict
  /** Why it is bad or not yet decided, for people; null while it is good. */
  readonly reason: string | null
  /** Requests that were judged. */
  readonly canaryRequests: number
  readonly baselineRequests: number
  readonly figures: readonly JudgeFigure[]
}

export interface ChangedGroup {
  readonly group: string
  /** `r1`. */
  readonly from: string
  readonly to: string
}

export interface RolloutStatus {
  /** Names it among the rollouts of this topology: `chat-4`. */
  readonly id: string
  readonly pool: string
  readonly kind: RolloutKind
  readonly phase: RolloutPhase
  readonly from: RolloutSide
  readonly to: RolloutSide
  /** Each node group that changes, by its declared name, with its revisions; absent in what an earlier lb wrote down. */
  readonly groups?: readonly ChangedGroup[]
  /** From 1; 0 before the first. */
  readonly step: number
  /** Shares of traffic, one for each step. */
  readonly steps: readonly number[]
  /** Of the traffic, that the new revision gets now. */
  readonly share: number
  /** Epoch. */
  readonly startedAtMs: number
  readonly endedAtMs: number | null
  /** When this step has been watched for long enough; epoch, null: nobody knows. */
  readonly stepEndsAtMs: number | null
  /** Why it is where it is, for people. */
  readonly reason: string | null
  readonly judge: JudgeReport | null
  /** What happened, oldest first. */
  readonly events: readonly { readonly atMs: number; readonly message: string }[]
}

/** Whether nothing happens to it any more. */
export function isOver({ phase }: Pick<RolloutStatus, 'phase'>): boolean {
  return phase === 'promoted' || phase === 'rolled-back' || phase === 'aborted' || phase === 'failed'
}
