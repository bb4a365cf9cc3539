import type { TimerHandle } from '../base/index.js'
import type { RequestRecord } from '../contracts/index.js'
import { messageOf } from '../errors/index.js'
import type { GroupPlan, PoolPlan, ScalePlan } from '../topology/index.js'
import { FixedGroups } from './fixed-groups.js'
import { ManualFloors } from './manual-floors.js'
import type { ScaleDesk } from './scale-desk.js'
import { cannotScale, groupToScale } from './scale-wish.js'
import type { ScaleStatus } from './scale-status.js'
import type { ScaleWorld } from './scale-world.js'
import { baseOf, ScaledGroup } from './scaled-group.js'

const LOOK_MS = 1_000
/** While a group rests, the first request is seen so soon. */
const REST_LOOK_MS = 100

/** Keeps the number of nodes of every group that follows its load, and changes others when somebody asks. */
export class Autoscaler implements ScaleDesk {
  private groups = new Map<string, ScaledGroup>()
  private readonly floors: ManualFloors
  private readonly fixed: FixedGroups
  private timer: TimerHandle | undefined
  private lookedAtMs = -Infinity
  private stopped = false

  constructor(private readonly world: ScaleWorld) {
    this.floors = new ManualFloors(world.stateDir)
    this.fixed = new FixedGroups(world)
  }

  start(): void {
    this.look()
  }

  stop(): void {
    this.stopped = true
    this.timer?.cancel()
    for (const group of this.groups.values()) group.stop()
  }

  settled(record: RequestRecord): void {
    if (record.pool === null) return
    for (const [key, group] of this.groups) if (key.startsWith(`${record.pool}/`)) group.settled(record)
  }

  list(): readonly ScaleStatus[] {
    return [...[...this.groups.values()].map((group) => group.status()), ...this.fixed.list()]
  }

  async scale(poolName: string, replicas: number, groupName?: string): Promise<ScaleStatus> {
    const pool = this.world.pool(poolName)
    const group = groupToScale(pool, groupName)
    const held = this.world.heldBy(poolName)
    if (held !== undefined) throw cannotScale(`${held}, and the number of nodes stays until it has ended`, 'lb rollout status shows it')
    if (group.launch?.scale === undefined) return this.fixed.scale(pool, group, replicas)
    const { max } = group.launch.scale
    if (replicas > max)
      throw cannotScale(`${poolName}/${group.name} has at most ${max} nodes`, 'raise `max` of its `replicas` in the topology file')
    this.floors.set(poolName, baseOf(group), replicas)
    this.sync()
    const scaled = this.groups.get(keyOf(pool, group))
    await scaled?.look()
    if (scaled === undefined) throw cannotScale(`${poolName}/${group.name} is not followed`, 'lb status shows its groups')
    return scaled.status()
  }

  private look(): void {
    if (this.stopped) return
    this.sync()
    const nowMs = this.world.clock.nowMs()
    const isDue = nowMs - this.lookedAtMs >= LOOK_MS - 1
    if (isDue) this.lookedAtMs = nowMs
    const resting = [...this.groups.values()].filter((group) => group.isAtRest)
    for (const group of isDue ? this.groups.values() : resting) void group.look()
    if (isDue) this.world.measured(this.list())
    this.timer = this.world.clock.after(resting.length > 0 ? REST_LOOK_MS : LOOK_MS, () => this.lookSafely())
  }

  /** A fault here must cost no request anything, nor end the looking. */
  private lookSafely(): void {
    try {
      this.look()
    } catch (error) {
      this.world.log.error('scale.look_failed', { error: messageOf(error) })
      this.timer = this.world.clock.after(LOOK_MS, () => this.lookSafely())
    }
  }

  /** Groups come, go and change with the topology. */
  private sync(): void {
    const wanted = new Map<string, readonly [PoolPlan, GroupPlan, ScalePlan]>()
    for (const pool of this.world.pools())
      for (const group of pool.groups)
        if (group.launch?.scale !== undefined) wanted.set(keyOf(pool, group), [pool, group, group.launch.scale])
    for (const [key, group] of this.groups) {
      if (JSON.stringify(group.plan) === JSON.stringify(wanted.get(key)?.[2])) continue
      group.stop()
      this.groups.delete(key)
    }
    for (const [key, [pool, group, plan]] of wanted) {
      if (this.groups.has(key)) continue
      const scaled = new ScaledGroup(pool.name, baseOf(group), plan, this.world, this.floors)
      this.groups.set(key, scaled)
      scaled.start()
    }
  }
}

function keyOf({ name }: PoolPlan, group: GroupPlan): string {
  return `${name}/${baseOf(group)}`
}
