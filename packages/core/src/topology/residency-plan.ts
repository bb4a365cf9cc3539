/** How the engines of a pool share accelerators with those of other pools. */
export interface ResidencyPlan {
  /** Without requests for so long they make room by themselves; absent: only when another pool wants it. */
  readonly idleUnloadMs?: number
  /** Once awake they stay so long, whatever others want. */
  readonly minResidentMs: number
  /** What it costs to put them to rest, against other pools. */
  readonly evictCost: number
  /** How long a request waits for them to be awake. */
  readonly wakeWithinMs: number
}
