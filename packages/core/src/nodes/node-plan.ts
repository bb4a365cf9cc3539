import { isDeepStrictEqual } from '../base/index.js'
import { essenceOf, nodeIdOf, slotsOf, type GroupPlan, type PoolPlan, type Topology } from '../topology/index.js'

/** One node that the topology asks for. */
export interface NodePlan {
  /** `pool/name`. */
  readonly id: string
  readonly name: string
  readonly pool: PoolPlan
  readonly group: GroupPlan
  /** 0-based among the replicas of its group. */
  readonly replica: number
}

/** Every node of a topology, in declared order. */
export function nodePlansOf(topology: Topology): NodePlan[] {
  return topology.pools.flatMap((pool) =>
    pool.groups.flatMap((group) =>
      (group.source === undefined ? slotsOf(group) : []).map((replica) => {
        const id = nodeIdOf(pool, group, replica)
        return { id, name: id.slice(pool.name.length + 1), pool, group, replica }
      }),
    ),
  )
}

/** True when a running node can serve the new plan as it is: what it launches or attaches to is the same. */
export function canKeep(before: NodePlan, after: NodePlan): boolean {
  // A launched engine is told the names it serves.
  const renamed = after.group.launch !== undefined && !isDeepStrictEqual(before.pool.models, after.pool.models)
  return before.replica === after.replica && !renamed && isDeepStrictEqual(essenceOf(before.group), essenceOf(after.group))
}
