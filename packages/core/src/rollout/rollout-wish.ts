import type { GroupPlan, RolloutPlan } from '../topology/index.js'

/** What somebody wants to go live. One of `model`, `set`, `groups`, `to`, `revision` and `revisions` at least. */
export interface RolloutWish {
  readonly pool: string
  /** The node group that changes; absent: the only one. */
  readonly group?: string
  /** New weights: `launch.model` of a launched group, the model's name of an attached one that can load it. */
  readonly model?: string
  /** Other settings, by their path in the node group: `launch.args.maxModelLen` to 4096. */
  readonly set?: Readonly<Record<string, unknown>>
  /** Resolved groups of an edited topology, in the place of those with the same name. */
  readonly groups?: readonly GroupPlan[]
  /** Name of another group of the pool to which all traffic shall go, for attached nodes. */
  readonly to?: string
  /** Back to a revision of the history: `r1`. */
  readonly revision?: string
  /** The same for several node groups at once, by their declared names. */
  readonly revisions?: readonly { readonly group: string; readonly revision: string }[]
  /** In the place of what the pool's `rollout` says. */
  readonly plan?: Partial<RolloutPlan>
}

export type RolloutVerb = 'promote' | 'pause' | 'resume' | 'abort' | 'undo'
