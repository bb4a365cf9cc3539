import type { PoolChange } from '../topology/index.js'
import { isAs, isDeclared, sameJson } from './places.js'
import type { RolloutWorld } from './rollout-world.js'

/** What one rollout has made of its pool. */
export class Hand {
  /** The last change was made to its end. */
  private isWhole = true

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

  /** It let go, and requests are parted all the same: takes hold of what runs. False where they are not. */
  regains(): boolean {
    try {
      const { groups, split, wake } = this.world.pool(this.pool)
      if (split === undefined) return false
      this.applied = { groups, split, ...(wake === undefined ? {} : { wake }) }
      return true
    } catch {
      return false
    }
  }

  /** Makes the pool so; false where it is so already. `evenUnwritten`: also where the disk refuses. */
  async make(change: PoolChange, options: { readonly evenUnwritten: boolean }): Promise<boolean> {
    const { world, pool } = this
    if (this.isWhole && sameJson(this.applied, change)) return false
    this.isWhole = false
    try {
      await world.change(pool, isDeclared(change, world.declaredPool(pool)) ? undefined : change, options)
      this.isWhole = true
    } finally {
      // A change that is made may still fail to begin its nodes: it is made again.
      if (isAs(world.pool(pool), change)) this.applied = change
    }
    return true
  }
}
