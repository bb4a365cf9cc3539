import { slotsOf, type GroupPlan, type PoolPlan } from '../topology/index.js'
import { cannotScale } from './scale-wish.js'
import type { ScaleStatus } from './scale-status.js'
import type { ScaleWorld } from './scale-world.js'
import { withSlots } from './with-slots.js'
import { count } from './policy/index.js'

/** Groups whose number of nodes only people change. */
export class FixedGroups {
  private readonly changedAtMs = new Map<string, number>()

  constructor(private readonly world: ScaleWorld) {}

  /** So many from now on; the lowest numbers stay. Throws LB_CANNOT_SCALE. */
  async scale(pool: PoolPlan, group: GroupPlan, replicas: number): Promise<ScaleStatus> {
    const { world } = this
    const before = slotsOf(group).length
    const slots = Array.from({ length: replicas }, (_, slot) => slot)
    this.checkNames(pool, group, slots)
    if (replicas > before) {
      const [why] = (await world.refusals(pool.name, withSlots(pool, group.name, slots).groups)).values()
      if (why !== undefined)
        throw cannotScale(
          `${count(replicas, 'node')} of ${pool.name}/${group.name} cannot be placed: ${why}`,
          'lb gpus shows who holds which',
        )
    }
    // To ask takes a moment, in which a rollout may have begun.
    const held = world.heldBy(pool.name)
    const now = world.pool(pool.name)
    if (held !== undefined || !now.groups.some(({ name }) => name === group.name))
      throw cannotScale(
        `${pool.name}/${group.name} has changed meanwhile${held === undefined ? '' : `: ${held}`}`,
        'ask again when it is over',
      )
    await world.change(pool.name, withSlots(now, group.name, slots))
    this.changedAtMs.set(`${pool.name}/${group.name}`, world.clock.epochMs())
    world.tell(pool.name, `${pool.name}/${group.name}: ${before} -> ${count(replicas, 'node')}: as asked with \`lb scale\``)
    return this.statusOf(pool.name, { ...group, launch: { ...group.launch, slots } as NonNullable<GroupPlan['launch']> })
  }

  /** Those that have another number of nodes than was declared. */
  list(): readonly ScaleStatus[] {
    return this.world
      .pools()
      .flatMap((pool) =>
        pool.groups
          .filter(({ launch, revision }) => launch?.slots !== undefined && launch.scale === undefined && revision === undefined)
          .map((group) => this.statusOf(pool.name, group)),
      )
  }

  private statusOf(pool: string, group: GroupPlan): ScaleStatus {
    const wanted = slotsOf(group).length
    const replicas = this.world.nodes().filter(({ plan }) => plan.pool.name === pool && plan.group.name === group.name).length
    const changedAtMs = this.changedAtMs.get(`${pool}/${group.name}`) ?? null
    return {
      pool,
      group: group.name,
      replicas,
      wanted,
      min: wanted,
      max: wanted,
      follows: null,
      reason: 'as asked with `lb scale`',
      changedAtMs,
    }
  }

  /** `gpu-1` may be another group. */
  private checkNames(pool: PoolPlan, group: GroupPlan, slots: readonly number[]): void {
    const taken = pool.groups.find(({ name }) => name !== group.name && slots.some((slot) => name === `${group.name}-${slot}`))
    if (taken === undefined) return
    throw cannotScale(
      `a node of ${pool.name}/${group.name} would be called ${taken.name}, which is another group`,
      'rename one of the two in the topology file',
    )
  }
}
