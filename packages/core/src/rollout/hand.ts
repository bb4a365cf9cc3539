import type { PoolChange } from '../topology/index.js'
import { isAs, sameJson } from './places.js'
import type { RolloutWorld } from './rollout-world.js'

/** What one rollout has made of its pool. */
export class Hand {
  constructor(
    private readonly pool: string,
    private readonly world: RolloutWorld,
    private applied: PoolChange,
  ) {}

  /** What it made last is what runs; else somebody declared the pool anew. */
  get isHolding(): boolean {
    try {
      return isAs(this.world.pool(this.pool), this.applied)
    } catch {
      return false
    }
  }

  /** Makes the pool so; false where it is so already. */
  async make(change: PoolChange): Promise<boolean> {
    const { world, pool } = this
    if (sameJson(this.applied, change)) return false
    const { groups } = world.declaredPool(pool)
    const isDeclared = change.split === undefined && change.wake === undefined && sameJson(change.groups, groups)
    try {
      await world.change(pool, isDeclared ? undefined : change)
    } finally {
      // A change that is made may still fail to begin its nodes.
      if (isAs(world.pool(pool), change)) this.applied = change
    }
    return true
  }
}
