import { type GroupPlan, nodeIdOf } from '../topology/index.js'
import type { OwnNodes } from './own-nodes.js'
import type { ScaleWorld } from './scale-world.js'
import { withSlots } from './with-slots.js'

/** So long a place that could not be given is not asked for again. */
const NO_ROOM_MS = 60_000
/** The same while nodes of its own still end: theirs may be free soon. */
const SOON_ROOM_MS = 5_000

/** For how many replicas of one group there is room, where the desk of accelerators has refused one of late. */
export class Room {
  private said: { readonly replicas: number; readonly why: string; readonly untilMs: number } | undefined

  constructor(
    private readonly world: ScaleWorld,
    private readonly pool: string,
    private readonly own: OwnNodes,
  ) {}

  /** Undefined: as far as is known, there is room for any number. */
  limit(nowMs: number): { readonly replicas: number; readonly why: string } | undefined {
    if (this.said !== undefined && nowMs >= this.said.untilMs) this.said = undefined
    return this.said
  }

  /** Asks the desk for these slots; `from`: so many live already. Tells why it refuses; undefined: it does not. */
  async refusal(group: GroupPlan, slots: readonly number[], from: number): Promise<string | undefined> {
    const { world, pool } = this
    const refusals = await world.refusals(pool, withSlots(world.pool(pool), group.name, slots).groups)
    const refused = slots.flatMap((slot) => refusals.get(nodeIdOf({ name: pool }, group, slot)) ?? [])
    const [why] = refused
    if (why === undefined) return undefined
    const replicas = Math.max(from, slots.length - refused.length)
    const askAgainMs = this.own.leaving().length > 0 ? SOON_ROOM_MS : NO_ROOM_MS
    this.said = { replicas, why: `there is room for ${replicas}: ${why}`, untilMs: world.clock.nowMs() + askAgainMs }
    return this.said.why
  }
}
