import { isDeepStrictEqual } from 'node:util'
import { nodeIdsOf, type GroupPlan, type PoolPlan, type Topology } from '../topology/index.js'

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
      nodeIdsOf(pool, group).map((id, replica) => ({ id, name: id.slice(pool.name.length + 1), pool, group, replica })),
    ),
  )
}

/** True when a running node can serve the new plan as it is: what it launches or attaches to is the same. */
export function canKeep(before: NodePlan, after: NodePlan): boolean {
  return before.replica === after.replica && isDeepStrictEqual(essenceOf(before), essenceOf(after))
}

function essenceOf({ group, pool }: NodePlan): unknown {
  const { engine, model, apiKey, attach } = group
  // Limits may change while an engine runs; what it was started with may not.
  const {
    replicas: _replicas,
    restarts: _restarts,
    readyWithinMs: _readyWithinMs,
    ...started
  } = group.launch ?? { replicas: 0, restarts: 0 }
  const launch = group.launch === undefined ? undefined : started
  // A launched engine is told the names it serves.
  return { engine, model, apiKey, attach, launch, models: launch === undefined ? undefined : pool.models }
}
