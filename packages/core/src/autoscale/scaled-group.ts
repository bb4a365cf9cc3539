import { messageOf } from '../errors/index.js'
import type { Node } from '../nodes/index.js'
import { nodeIdOf, type GroupPlan, type PoolPlan, type ScalePlan } from '../topology/index.js'
import { chooseSlots } from './choose-slots.js'
import { GroupSight } from './group-sight.js'
import { callProvider } from './machine-provider.js'
import type { ManualFloors } from './manual-floors.js'
import type { RequestRecord } from '../contracts/index.js'
import type { ScaleStatus } from './scale-status.js'
import type { ScaleWorld } from './scale-world.js'
import { StartTimes } from './start-times.js'
import { TriggerWatch } from './trigger-watch.js'
import { withSlots } from './with-slots.js'
import { type ScaleFacts, ScaleMemory, count, followsText, scheduledFloor, wantedReplicas } from './policy/index.js'

/** So long a place that could not be given is not asked for again, and a lost node or a failed provider not tried again. */
const AGAIN_MS = 60_000

/** One node group that follows its load: looks, decides, and makes it so. */
export class ScaledGroup {
  private readonly sight = new GroupSight()
  private memory = new ScaleMemory()
  private starts = new StartTimes()
  /** What was learned is of this one. */
  private revision: string | undefined
  private readonly triggers: readonly TriggerWatch[]
  private room: { readonly replicas: number; readonly why: string; readonly untilMs: number } | undefined
  private notBeforeMs = -Infinity
  private lastFailure = ''
  private changing: Promise<void> | undefined
  private wanted: number
  private reason = 'just begun'
  private changedAtMs: number | null = null

  constructor(
    private readonly pool: string,
    /** Its name in the file; revisions of it have others. */
    readonly base: string,
    readonly plan: ScalePlan,
    private readonly world: ScaleWorld,
    private readonly floors: ManualFloors,
  ) {
    const { clock, log } = world
    const gpuUse = () => world.gpuUse(this.ownNodes().map(({ id }) => id))
    const options = { clock, log, place: `${pool}/${base}`, gpuUse, fetchText: world.fetchText.bind(world) }
    this.triggers = plan.triggers.map((trigger) => new TriggerWatch(trigger, options))
    this.wanted = plan.min
  }

  start(): void {
    for (const trigger of this.triggers) trigger.start()
  }

  stop(): void {
    for (const trigger of this.triggers) trigger.stop()
  }

  settled(record: RequestRecord): void {
    this.sight.settled(record, this.world.clock.nowMs())
  }

  /** Nobody is there, so the first who comes must not wait for the next look. */
  get isAtRest(): boolean {
    return this.group() !== undefined && this.replicas() === 0
  }

  status(): ScaleStatus {
    const { pool, base: group, plan, reason, changedAtMs } = this
    const replicas = this.replicas()
    return { pool, group, replicas, wanted: this.wanted, min: plan.min, max: plan.max, follows: followsText(plan), reason, changedAtMs }
  }

  /** Looks once, and begins what follows from it. Resolves when that is done; never throws. */
  look(): Promise<void> {
    if (this.changing !== undefined) return this.changing
    const decided = this.decide()
    if (decided === undefined) return Promise.resolve()
    this.changing = this.become(decided)
      .catch((error: unknown) => this.failed(error))
      .finally(() => (this.changing = undefined))
    return this.changing
  }

  /** Undefined: nothing is to be done. */
  private decide(): number | undefined {
    const nowMs = this.world.clock.nowMs()
    const group = this.group()
    const facts = this.facts(nowMs)
    const held = this.world.heldBy(this.pool) ?? (group === undefined ? 'several revisions of it run' : undefined)
    if (held !== undefined) {
      this.wanted = facts.replicas
      this.reason = `stays as it is: ${held}`
      return undefined
    }
    if (group?.revision !== this.revision) this.forget(group?.revision)
    const { wanted, reason } = wantedReplicas(facts, this.plan, this.memory, nowMs)
    this.wanted = wanted
    const waits = wanted !== facts.replicas && nowMs < this.notBeforeMs
    this.reason = waits ? `${reason}; ${this.lastFailure}` : reason
    return wanted === facts.replicas || waits ? undefined : wanted
  }

  /** Another model bears another load. */
  private forget(revision: string | undefined): void {
    this.revision = revision
    this.memory = new ScaleMemory()
    this.starts = new StartTimes()
  }

  private facts(nowMs: number): ScaleFacts {
    const { world, pool, plan, base } = this
    const nodes = [...world.nodes(), ...world.leaving()].filter((node) => node.plan.pool.name === pool)
    const own = this.ownNodes()
    const isOurs = (node: Node): boolean => own.includes(node)
    this.starts.look(new Map(own.map((node) => [node.id, node.state === 'ready'])), nowMs)
    this.sight.retain(new Set(own.map(({ id }) => id)))
    const inLine = world.inLine().get(pool) ?? 0
    const seen = this.sight.look({ nodes, countsOf: (node) => world.countsOf(node), inLine }, isOurs, this.group()?.weight ?? 1)
    if (this.room !== undefined && nowMs >= this.room.untilMs) this.room = undefined
    return {
      ...seen,
      replicas: own.filter((node) => !node.isGivenUp).length,
      startMs: this.starts.expectedMs,
      triggers: this.triggers.flatMap((trigger) => trigger.reading() ?? []),
      floor: Math.min(plan.max, this.floors.of(pool, base)),
      scheduled: scheduledFloor(plan, new Date(world.clock.epochMs())),
      ...(this.room === undefined ? {} : { room: this.room }),
    }
  }

  private async become(wanted: number): Promise<void> {
    const { world, pool, plan, sight } = this
    const nowMs = world.clock.nowMs()
    const before = this.ownNodes()
    const from = before.filter((node) => !node.isGivenUp).length
    const seats = before.map((node) => sight.seatOf(node, world.countsOf(node), nowMs))
    const slots = chooseSlots(seats, wanted, plan.max)
    const reason = this.reason
    if (wanted > from && (await this.lacksRoom(slots, from))) return
    if (wanted > from) await this.provide({ from, wanted })
    const group = this.group()
    if (group === undefined || world.heldBy(pool) !== undefined) return
    const lost = before.find((node) => node.isGivenUp)
    if (lost !== undefined) this.pauseFor(`${lost.id} failed: ${lost.reason ?? 'no reason is known'}`)
    const known = new Set(before.map(({ id }) => id))
    for (const slot of slots) {
      const id = nodeIdOf({ name: pool }, group, slot)
      if (!known.has(id)) this.starts.begin(id, nowMs)
    }
    await world.change(pool, withSlots(world.pool(pool), group.name, slots))
    this.changedAtMs = world.clock.epochMs()
    world.tell(pool, `${pool}/${group.name}: ${from} -> ${count(wanted, 'node')}: ${reason}`)
    if (wanted < from) await this.provide({ from, wanted })
  }

  /** Asks the desk of accelerators before it wants what could not be placed. */
  private async lacksRoom(slots: readonly number[], from: number): Promise<boolean> {
    const group = this.group()
    if (group === undefined) return true
    const refusals = await this.world.refusals(this.pool, withSlots(this.world.pool(this.pool), group.name, slots).groups)
    const refused = slots.flatMap((slot) => refusals.get(nodeIdOf({ name: this.pool }, group, slot)) ?? [])
    const [why] = refused
    if (why === undefined) return false
    const replicas = Math.max(from, slots.length - refused.length)
    this.room = { replicas, why: `there is room for ${replicas}: ${why}`, untilMs: this.world.clock.nowMs() + AGAIN_MS }
    this.world.tell(this.pool, `${this.pool}/${group.name}: ${slots.length} wanted: ${this.room.why}`)
    return true
  }

  private async provide(numbers: { readonly from: number; readonly wanted: number }): Promise<void> {
    const { plan, pool, base: group, world } = this
    if (plan.provider !== undefined) await callProvider(plan.provider, { pool, group, ...numbers }, world)
  }

  /** Serving goes on as it is. */
  private failed(error: unknown): void {
    const { pool, base, world } = this
    this.pauseFor(messageOf(error))
    world.log.error('scale.failed', { pool, group: base, error: this.lastFailure })
    world.tell(pool, `${pool}/${base}: the number of nodes could not be changed: ${this.lastFailure}; tried again in a minute`)
  }

  private pauseFor(why: string): void {
    this.lastFailure = why
    this.notBeforeMs = this.world.clock.nowMs() + AGAIN_MS
  }

  private replicas(): number {
    return this.ownNodes().length
  }

  private ownNodes(): readonly Node[] {
    const group = this.group()
    return this.world.nodes().filter(({ plan }) => plan.pool.name === this.pool && plan.group.name === group?.name)
  }

  /** As it runs now; undefined: not at all, or in several revisions. */
  private group(): GroupPlan | undefined {
    const found =
      poolIn(this.world.pools(), this.pool)?.groups.filter((group) => baseOf(group) === this.base && group.launch?.scale !== undefined) ??
      []
    return found.length === 1 ? found[0] : undefined
  }
}

/** The declared group that one is a revision of. */
export function baseOf({ name, revisionOf }: GroupPlan): string {
  return revisionOf ?? name
}

function poolIn(pools: readonly PoolPlan[], name: string): PoolPlan | undefined {
  return pools.find((pool) => pool.name === name)
}
