import type { JudgeHooks, RunningJudge } from './running-judge.js'
import type { RolloutRecord } from './rollout-record.js'
import type { RolloutStatus } from './rollout-status.js'
import type { RolloutWorld } from './rollout-world.js'

/** What one rollout is given to go its way with. */
export interface RunParts {
  readonly world: RolloutWorld
  /** Writes the record down. Throws what the disk throws. */
  readonly save: (record: RolloutRecord) => void
  readonly changed: (status: RolloutStatus) => void
  readonly judgeFor: (record: RolloutRecord, hooks: JudgeHooks) => RunningJudge
  /** The next judge begins anew. */
  readonly forgetEvidence: (record: RolloutRecord) => void
  /** Brings the weights to where they will be looked for. */
  readonly fetch: (
    record: RolloutRecord,
    options: { readonly signal: AbortSignal; readonly onProgress: (what: string) => void },
  ) => Promise<void>
  /** What is to be told of an old revision that is back. Never throws. */
  readonly evidence: (record: RolloutRecord) => Promise<readonly string[]>
  /** It has come to its end. Never throws. */
  readonly over: (record: RolloutRecord) => void
}
