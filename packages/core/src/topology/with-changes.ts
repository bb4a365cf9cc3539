import { deepFreeze } from './deep-freeze.js'
import type { GroupPlan, PoolPlan, Topology } from './topology.js'

/** What differs in a pool from what was declared, because a rollout or the load wants it so. */
export interface PoolChange {
  /** All groups, in the place of the declared ones. */
  readonly groups: readonly GroupPlan[]
  readonly split?: NonNullable<PoolPlan['split']>
  readonly wake?: NonNullable<PoolPlan['wake']>
}

/** By the pool's name. */
export type PoolChanges = ReadonlyMap<string, PoolChange>

/** The topology as it runs: as declared, but for pools that were changed since. */
export function withChanges(declared: Topology, changes: PoolChanges): Topology {
  if (changes.size === 0) return declared
  return deepFreeze({ ...declared, pools: declared.pools.map((pool) => ({ ...pool, ...changes.get(pool.name) })) })
}
