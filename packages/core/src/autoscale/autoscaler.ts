import type { TimerHandle } from '../base/index.js'
import type { RequestRecord } from '../contracts/index.js'
import { messageOf } from '../errors/index.js'
import type { GroupPlan, PoolPlan, ScalePlan } from '../topology/index.js'
import { FixedGroups } from './fixed-groups.js'
import { KeyedBook } from './keyed-book.js'
import { LearnedBook } from './learned.js'
import { MachineBook } from './machines.js'
import { ManualFloors } from './manual-floors.js'
import { baseOf } from './own-nodes.js'
import type { ScaleDesk } from './scale-desk.js'
import { cannotScale, groupToScale } from './scale-wish.js'
import type { ScaleStatus } from './scale-status.js'
import type { ScaleWorld } from './scale-world.js'
import { ScaledGroup, type GroupBooks } from './scaled-group.js'

const LOOK_MS = 1_000
/** While a group rests, the first request is seen so soon. */
const REST_LOOK_MS = 100
/** So often what was learned is written down. */
const KEEP_MS = 60_000
/** Whoever scales by hand waits no longer for the answer: machines may take minutes. */
const ANSWER_MS = 2_000

/** Keeps the number of nodes of every group that follows its load, and changes others when somebody asks. */
export class Autoscaler implements ScaleDesk {
  /** In declared order. */
  private groups = new Map<string, ScaledGroup>()
  /** Gone from the file, with machines to return. */
  private readonly retired = new Map<string, ScaledGroup>()
  private readonly books: GroupBooks
  private readonly fixed: FixedGroups
  private readonly warned = new Set<string>()
  private timer: TimerHandle | undefined
  private lookedAtMs = -Infinity
  private keptAtMs: number
  private stopped = false

  constructor(private readonly world: ScaleWorld) {
    this.keptAtMs = world.clock.nowMs()
    this.books = {
      floors: new ManualFloors(world.stateDir),
      machines: new MachineBook(new KeyedBook(world.stateDir, 'scale-machines.json', isCount)),
      learned: new LearnedBook(world),
      beside: (group) => this.besides(group),
    }
    this.fixed = new FixedGroups(world)
  }

  start(): void {
    this.lookSafely()
  }

  stop(): void {
    this.stopped = true
    this.timer?.cancel()
    for (const group of this.groups.values()) group.stop()
    this.books.learned.write(new Set(this.groups.keys()))
  }

  settled(record: RequestRecord): void {
    if (record.pool === null) return
    for (const group of this.groups.values()) if (group.pool === record.pool) group.settled(record)
  }

  list(): readonly ScaleStatus[] {
    return [...[...this.groups.values()].map((group) => group.status()), ...this.fixed.list()]
  }

  async scale(poolName: string, replicas: number, groupName?: string): Promise<ScaleStatus> {
    const pool = this.world.pool(poolName)
    const held = this.world.heldBy(poolName)
    if (held !== undefined) throw cannotScale(`${held}, and the number of nodes stays until it has ended`, 'lb rollout status shows it')
    const group = groupToScale(pool, groupName)
    if (group.launch?.scale === undefined) return this.fixed.scale(pool, group, replicas)
    const { max } = group.launch.scale
    if (replicas > max)
      throw cannotScale(`${poolName}/${group.name} has at most ${max} nodes`, 'raise `max` of its `replicas` in the topology file')
    this.books.floors.set(poolName, baseOf(group), replicas)
    this.sync()
    const scaled = this.groups.get(keyOf(pool, group))
    if (scaled === undefined) throw cannotScale(`${poolName}/${group.name} is not followed`, 'lb status shows its groups')
    const wasBusy = scaled.isChanging
    await this.within(scaled.look())
    if (wasBusy) await this.within(scaled.look())
    return scaled.status()
  }

  private async within(work: Promise<void>): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const timer = this.world.clock.after(ANSWER_MS, resolve)
    await Promise.race([work, late])
    timer.cancel()
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
    if (isDue) this.returnMachines()
    if (nowMs - this.keptAtMs >= KEEP_MS) this.keep(nowMs)
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

  private keep(nowMs: number): void {
    this.keptAtMs = nowMs
    const changed = [...this.groups.values()].filter((group) => group.keep())
    if (changed.length > 0) this.books.learned.write(new Set(this.groups.keys()))
  }

  /** Groups come, go and change with the topology. */
  private sync(): void {
    const wanted = new Map<string, readonly [PoolPlan, GroupPlan, ScalePlan]>()
    for (const pool of this.world.pools())
      for (const group of pool.groups)
        if (group.launch?.scale !== undefined) wanted.set(keyOf(pool, group), [pool, group, group.launch.scale])
    const before = this.groups
    for (const [key, group] of before) {
      if (JSON.stringify(group.plan) === JSON.stringify(wanted.get(key)?.[2])) continue
      group.stop()
      before.delete(key)
      if (!wanted.has(key)) this.retired.set(key, group)
    }
    this.groups = new Map()
    for (const [key, [pool, group, plan]] of wanted) {
      const known = before.get(key)
      const scaled = known ?? new ScaledGroup(pool.name, baseOf(group), plan, this.world, this.books)
      this.groups.set(key, scaled)
      if (known !== undefined) continue
      this.retired.delete(key)
      scaled.start()
    }
  }

  /** Of groups that are gone; and says which ones nobody can return any more. */
  private returnMachines(): void {
    for (const [key, group] of this.retired) if (group.giveBackMachines()) this.retired.delete(key)
    const { told } = this.books.machines
    for (const key of told.keys) {
      const hasProvider = this.groups.get(key)?.plan.provider !== undefined || this.retired.has(key)
      const machines = told.get(key) ?? 0
      if (hasProvider || machines === 0 || this.warned.has(key)) continue
      this.warned.add(key)
      const words = `${key} was told to have ${machines} machines, and the topology file names no provider for it any more: return them by hand`
      this.world.log.warn('scale.machines_left', { group: key, machines })
      this.world.tell(key.split('/')[0] ?? key, words)
    }
  }

  private besides(group: ScaledGroup): ReturnType<GroupBooks['beside']> {
    const ofPool = [...this.groups.values()].filter(({ pool }) => pool === group.pool)
    const at = ofPool.indexOf(group)
    return { before: ofPool.slice(0, Math.max(0, at)), after: ofPool.slice(at + 1) }
  }
}

function keyOf({ name }: PoolPlan, group: GroupPlan): string {
  return `${name}/${baseOf(group)}`
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 1_024
}
