import type { Node } from '../nodes/index.js'
import type { GroupPlan } from '../topology/index.js'
import type { ScaleWorld } from './scale-world.js'

/** The nodes of one declared group, in all its revisions. */
export class OwnNodes {
  constructor(
    private readonly world: Pick<ScaleWorld, 'nodes' | 'leaving' | 'pools'>,
    private readonly pool: string,
    private readonly base: string,
  ) {}

  all(): readonly Node[] {
    return this.world.nodes().filter((node) => this.isOwn(node))
  }

  /** Those that nobody starts again are left out. */
  living(): number {
    return this.all().filter((node) => !node.isGivenUp).length
  }

  ready(): number {
    return this.all().filter(({ state }) => state === 'ready').length
  }

  lost(): Node | undefined {
    return this.all().find((node) => node.isGivenUp)
  }

  /** Nodes that a machine stands behind: those that still end, too. */
  held(): number {
    return this.all().length + this.leaving().length
  }

  /** Those that have left the topology and still end. */
  leaving(): readonly Node[] {
    return this.world.leaving().filter((node) => this.isOwn(node))
  }

  /** What one of them bears beside those of other groups. */
  get weight(): number {
    const weight = this.group()?.weight ?? 1
    return weight > 0 ? weight : 1
  }

  /** As it runs now; undefined: not at all, or in several revisions. */
  group(): GroupPlan | undefined {
    const pool = this.world.pools().find(({ name }) => name === this.pool)
    const found = pool?.groups.filter((group) => baseOf(group) === this.base && group.launch?.scale !== undefined) ?? []
    return found.length === 1 ? found[0] : undefined
  }

  private isOwn({ plan }: Node): boolean {
    return plan.pool.name === this.pool && baseOf(plan.group) === this.base
  }
}

/** The declared group that one is a revision of. */
export function baseOf({ name, revisionOf }: GroupPlan): string {
  return revisionOf ?? name
}
