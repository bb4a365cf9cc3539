import { nodeFault } from './node-faults.js'
import { nodesOf, sleepersOf, type RolloutRecord } from './rollout-record.js'
import type { RolloutNode, RolloutWorld } from './rollout-world.js'

/** Engines get so long to end once their requests have. */
const END_MS = 60_000

/** What a rollout sees of its nodes, and whether they get any further. */
export class Lookout {
  private movedAtMs: number
  private seen = ''

  constructor(private readonly world: RolloutWorld) {
    this.movedAtMs = world.clock.nowMs()
  }

  /** All nodes of the stage serve, and those that it took away have ended. An old node that failed for good is none to wait for. */
  isSettled(record: RolloutRecord): boolean {
    const nodes = this.look(record)
    // Servers that somebody else runs may be down for a reason of their own.
    if (record.ground.isStanding) return this.sides(record).fresh.some(({ state }) => state === 'ready')
    const staying = nodesOf(record, 'old').filter((id) => record.readyBefore.includes(id))
    const isReady = (id: string): boolean => nodes.get(id)?.state === 'ready'
    return (
      nodesOf(record, 'fresh').every(isReady) &&
      this.world.leaving(record.pool).length === 0 &&
      sleepersOf(record).every((id) => nodes.get(id)?.state === 'asleep') &&
      staying.every((id) => isReady(id) || nodes.get(id)?.isGivenUp === true)
    )
  }

  /** Nodes that served before it began, and do not serve now. */
  missing(record: RolloutRecord): { readonly ids: readonly string[]; readonly isHopeless: boolean } {
    // Nothing of theirs was touched, and a source may have named others meanwhile.
    if (record.ground.isStanding) return { ids: [], isHopeless: false }
    const nodes = this.look(record)
    const ids = record.readyBefore.filter((id) => nodes.get(id)?.state !== 'ready')
    return { ids, isHopeless: ids.some((id) => nodes.get(id)?.isGivenUp === true) }
  }

  leaving({ pool }: RolloutRecord): readonly string[] {
    return this.world.leaving(pool)
  }

  /** Why the new revision cannot stay, by what its nodes are. */
  fault(record: RolloutRecord): string | undefined {
    const { models } = this.world.pool(record.pool)
    const { fresh, old } = this.sides(record)
    const some =
      record.ground.isStanding && fresh.some(({ state }) => state === 'ready') ? fresh.filter(({ state }) => state !== 'failed') : fresh
    return nodeFault({
      fresh: some,
      old,
      models,
      isPromoted: record.isPromoted,
      before: record.failuresBefore,
      contextBefore: record.contextBefore,
    })
  }

  /** Some node of the old revision serves. */
  hasOld(record: RolloutRecord): boolean {
    return this.sides(record).old.some(({ state }) => state === 'ready')
  }

  /** Something new has begun. */
  moved(): void {
    this.movedAtMs = this.world.clock.nowMs()
  }

  /** Nothing has changed for too long. */
  isStill(record: RolloutRecord): boolean {
    const { plan, pool } = record
    this.look(record)
    // Requests on a node that leaves have the pool's own time to end, and its engine a moment.
    const drainMs = this.world.leaving(pool).length === 0 ? 0 : this.world.pool(pool).drainMs + END_MS
    return this.world.clock.nowMs() - this.movedAtMs >= Math.max(plan.progressMs, drainMs)
  }

  /** What it waits for, for people. */
  waitsFor(record: RolloutRecord): string {
    const late = this.sides(record).fresh.filter(({ state }) => state !== 'ready')
    if (late.length > 0) return late.map(({ id, state, reason }) => `${id} is ${state}${reason === null ? '' : ` (${reason})`}`).join(', ')
    const leaving = this.leaving(record)
    return leaving.length > 0 ? `${leaving.join(', ')} still has requests` : 'nodes of the old revision are not ready'
  }

  private sides(record: RolloutRecord): { readonly fresh: readonly RolloutNode[]; readonly old: readonly RolloutNode[] } {
    const nodes = this.world.nodes(record.pool)
    const { ground } = record
    // A source names its servers by itself.
    if (ground.isStanding)
      return {
        fresh: nodes.filter(({ revision }) => revision === ground.fresh),
        old: nodes.filter(({ revision }) => revision === ground.old),
      }
    const [fresh, old] = [nodesOf(record, 'fresh'), nodesOf(record, 'old')]
    return { fresh: nodes.filter(({ id }) => fresh.includes(id)), old: nodes.filter(({ id }) => old.includes(id)) }
  }

  private look({ pool }: RolloutRecord): ReadonlyMap<string, RolloutNode> {
    const nodes = this.world.nodes(pool)
    const sight = JSON.stringify([nodes.map(({ id, state, progress }) => [id, state, progress]), this.world.leaving(pool)])
    if (sight !== this.seen) this.moved()
    this.seen = sight
    return new Map(nodes.map((node) => [node.id, node]))
  }
}
