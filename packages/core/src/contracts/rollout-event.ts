/** A rollout has come into another phase, for plugins that keep records or tell people. */
export interface RolloutEvent {
  /** Names it among the rollouts of its topology: `chat-4`. */
  readonly id: string
  readonly pool: string
  readonly kind: string
  /** `preparing`, `stepping`, `holding`, `paused`, `asking`, `rolling-back`; its ends are `promoted`, `rolled-back`, `aborted` and `failed`. */
  readonly phase: string
  /** Revisions: `r1`. */
  readonly from: string
  readonly to: string
  /** Of the traffic, that the new revision gets now. */
  readonly share: number
  /** Why, for people; null: its phase says it all. */
  readonly reason: string | null
  /** Epoch. */
  readonly atMs: number
}
