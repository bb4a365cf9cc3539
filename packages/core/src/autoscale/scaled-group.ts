import { messageOf } from '../errors/index.js'
import type { Node } from '../nodes/index.js'
import { nodeIdOf, type ScalePlan } from '../topology/index.js'
import { Again } from './again.js'
import { chooseSlots } from './choose-slots.js'
import { GroupMind } from './group-mind.js'
import type { LearnedBook } from './learned.js'
import { Machines, type MachineBook } from './machines.js'
import type { ManualFloors } from './manual-floors.js'
import type { RequestRecord } from '../contracts/index.js'
import type { ScaleStatus } from './scale-status.js'
import type { ScaleWorld } from './scale-world.js'
import { OwnNodes } from './own-nodes.js'
import { Room } from './room.js'
import { TriggerWatch } from './trigger-watch.js'
import { withSlots } from './with-slots.js'
import { type ScaleFacts, count, duration, followsText, scheduledFloor, wantedReplicas } from './policy/index.js'

/** What is kept of groups beyond one balancer, and the others of the pool. */
export interface GroupBooks {
  readonly floors: ManualFloors
  readonly machines: MachineBook
  readonly learned: LearnedBook
  /** Groups of the pool that follow their load too: those that are filled before this one, and after it. */
  readonly beside: (group: ScaledGroup) => { readonly before: readonly ScaledGroup[]; readonly after: readonly ScaledGroup[] }
}

/** One node group that follows its load: looks, decides, and makes it so. */
export class ScaledGroup {
  private readonly mind: GroupMind
  private readonly own: OwnNodes
  private readonly triggers: readonly TriggerWatch[]
  private readonly machines: Machines | undefined
  private readonly room: Room
  /** What could not be done is not tried again at once. */
  private readonly up = new Again()
  private readonly down = new Again()
  private changing: Promise<void> | undefined
  private stopped = false
  private wanted: number
  private reason = 'just begun'
  private changedAtMs: number | null = null

  constructor(
    readonly pool: string,
    /** Its name in the file; revisions of it have others. */
    readonly base: string,
    readonly plan: ScalePlan,
    private readonly world: ScaleWorld,
    private readonly books: GroupBooks,
  ) {
    const { clock, log } = world
    this.own = new OwnNodes(world, pool, base)
    this.room = new Room(world, pool, this.own)
    this.mind = new GroupMind(this.key, plan, books.learned)
    const gpuUse = () => world.gpuUse(this.own.all().map(({ id }) => id))
    const options = { clock, log, place: `${pool}/${base}`, gpuUse, fetchText: world.fetchText.bind(world) }
    this.triggers = plan.triggers.map((trigger) => new TriggerWatch(trigger, options))
    const { provider } = plan
    const machines = { clock, env: world.env, post: world.post.bind(world), pool, group: base, book: books.machines }
    if (provider !== undefined)
      this.machines = new Machines({ ...machines, provider, failed: (why) => this.tellFailure('machines', `${pool}/${base}: ${why}`) })
    this.wanted = plan.min
  }

  get key(): string {
    return `${this.pool}/${this.base}`
  }

  start(): void {
    for (const trigger of this.triggers) trigger.start()
  }

  stop(): void {
    this.stopped = true
    this.keep()
    for (const trigger of this.triggers) trigger.stop()
  }

  settled(record: RequestRecord): void {
    this.mind.settled(record, this.world.clock.nowMs())
  }

  /** Nobody is there, so the first who comes must not wait for the next look. */
  get isAtRest(): boolean {
    return this.own.group() !== undefined && this.own.all().length === 0
  }

  get isChanging(): boolean {
    return this.changing !== undefined
  }

  /** What it bears or will bear, in weight: later groups are not asked for that. */
  get bears(): number {
    const living = this.own.living()
    const comes = this.up.waitsBecause(this.world.clock.nowMs()) === undefined
    return this.own.weight * (comes ? this.wanted : Math.min(living, this.wanted))
  }

  /** What it bears whatever the load is, in weight. */
  get bearsAlways(): number {
    return this.own.weight * Math.min(this.own.ready(), this.floor())
  }

  status(): ScaleStatus {
    const { pool, base: group, plan, reason, changedAtMs } = this
    const replicas = this.own.all().length
    const problems = [...this.triggers.flatMap((trigger) => trigger.problem ?? []), ...[this.machines?.problem ?? []].flat()]
    const known = problems.length === 0 ? {} : { problems }
    return {
      pool,
      group,
      replicas,
      wanted: this.wanted,
      min: plan.min,
      max: plan.max,
      follows: followsText(plan),
      reason,
      ...known,
      changedAtMs,
    }
  }

  /** Looks once, and begins what follows from it. Resolves when that is done; never throws. */
  look(): Promise<void> {
    const nowMs = this.world.clock.nowMs()
    try {
      const decided = this.decide(nowMs)
      if (this.changing !== undefined) return this.changing
      if (decided === undefined) {
        this.machines?.keepOnly(this.own.held())
        return Promise.resolve()
      }
      this.changing = this.become(decided, nowMs)
        .catch((error: unknown) => this.failed(error, { decidedAtMs: nowMs, again: this.againOf(decided > this.own.living()) }))
        .finally(() => (this.changing = undefined))
      return this.changing
    } catch (error) {
      this.world.log.error('scale.look_failed', { group: this.key, error: messageOf(error) })
      return Promise.resolve()
    }
  }

  /** Keeps what was learned for the next one. True where there is anything new. */
  keep(): boolean {
    return this.mind.keep()
  }

  /** It has left the file: its machines go once its nodes are gone; those of its least were there before it. True when that is done. */
  giveBackMachines(): boolean {
    const { machines, plan } = this
    machines?.keepOnly(Math.max(this.own.held(), plan.min))
    return machines?.isMoreThan(plan.min) !== true
  }

  /** Undefined: nothing is to be done. While it is being changed it only learns. */
  private decide(nowMs: number): number | undefined {
    const group = this.own.group()
    const held = this.world.heldBy(this.pool) ?? (group === undefined ? 'several revisions of it run' : undefined)
    if (group !== undefined) this.mind.turnTo(group)
    const isChanging = this.changing !== undefined
    const facts = this.facts(nowMs, held ?? (isChanging ? 'it is being changed' : undefined))
    const { wanted, reason } = wantedReplicas(facts, this.plan, this.mind.memory, nowMs)
    if (isChanging) return undefined
    this.wanted = wanted
    this.reason = reason
    if (held !== undefined) return undefined
    // A machine whose node is given up goes back first: whoever brings another one would else not know that two are meant to be one.
    if (this.machines?.isMoreThan(facts.replicas) === true && this.own.lost() !== undefined) {
      this.mind.memory.takeBack(nowMs)
      return facts.replicas
    }
    if (wanted === facts.replicas) {
      if (facts.ready === wanted) this.up.wentWell()
      return undefined
    }
    const again = this.againOf(wanted > facts.replicas)
    const because = again.waitsBecause(nowMs)
    if (because === undefined) return wanted
    this.mind.memory.takeBack(nowMs)
    this.reason = `${reason}; ${because}, tried again in ${duration(again.leftMs(nowMs))}`
    return undefined
  }

  private facts(nowMs: number, held: string | undefined): ScaleFacts {
    const { world, pool } = this
    const nodes = [...world.nodes(), ...world.leaving()].filter((node) => node.plan.pool.name === pool)
    const own = this.own.all()
    const isOurs = (node: Node): boolean => own.includes(node)
    this.mind.starts.look(new Map(own.map((node) => [node.id, node.state === 'ready'])), nowMs)
    this.mind.sight.retain(new Set(own.map(({ id }) => id)))
    const inLine = world.inLine().get(pool) ?? 0
    const seen = this.mind.sight.look({ nodes, countsOf: (node) => world.countsOf(node), inLine }, isOurs, this.own.weight)
    const room = this.room.limit(nowMs)
    return {
      ...seen,
      reliesOn: this.reliesOn(nodes),
      replicas: this.own.living(),
      startMs: this.mind.starts.expectedMs,
      triggers: this.triggers.flatMap((trigger) => trigger.reading() ?? []),
      floor: Math.min(this.plan.max, this.books.floors.of(pool, this.base)),
      scheduled: scheduledFloor(this.plan, new Date(world.clock.epochMs())),
      ...(held === undefined ? {} : { held }),
      ...(room === undefined ? {} : { room }),
    }
  }

  /** Nodes whose number nobody changes, groups that are filled before this one, and what those after it have anyway. */
  private reliesOn(nodes: readonly Node[]): number {
    const { before, after } = this.books.beside(this)
    const fixed = nodes.filter(({ plan, state }) => state === 'ready' && plan.group.launch?.scale === undefined)
    const weights = [
      ...fixed.map(({ plan }) => plan.group.weight),
      ...before.map(({ bears }) => bears),
      ...after.map(({ bearsAlways }) => bearsAlways),
    ]
    return weights.reduce((sum, each) => sum + each, 0) / this.own.weight
  }

  private async become(wanted: number, decidedAtMs: number): Promise<void> {
    const { world, pool, reason } = this
    const from = this.own.living()
    if (wanted > from && (await this.lacksRoom(wanted, from))) return this.mind.memory.takeBack(decidedAtMs)
    if (wanted > from) await this.machines?.bring(from, wanted)
    const group = this.own.group()
    if (this.stopped || group === undefined || world.heldBy(pool) !== undefined) return this.mind.memory.takeBack(decidedAtMs)
    const lost = this.own.lost()
    const known = new Set(this.own.all().map(({ id }) => id))
    const slots = this.slotsFor(wanted)
    await world.change(pool, withSlots(world.pool(pool), group.name, slots))
    for (const slot of slots) {
      const id = nodeIdOf({ name: pool }, group, slot)
      if (!known.has(id)) this.mind.starts.begin(id, decidedAtMs)
    }
    if (lost !== undefined) this.gaveUp(lost)
    if (wanted === from) return world.tell(pool, `${lost?.id ?? this.key} is given up: its machine goes back`)
    this.changedAtMs = world.clock.epochMs()
    world.changed({ pool, group: this.base }, wanted > from ? 'up' : 'down')
    world.tell(pool, `${this.key}: ${from} -> ${count(wanted, 'node')}: ${reason}`)
  }

  private gaveUp({ id, reason }: Node): void {
    this.up.failed(`${id} failed: ${reason ?? 'no reason is known'}`, this.world.clock.nowMs())
    this.world.failed({ pool: this.pool, group: this.base }, 'node')
  }

  private slotsFor(wanted: number): readonly number[] {
    const nowMs = this.world.clock.nowMs()
    const seats = this.own.all().map((node) => this.mind.sight.seatOf(node, this.world.countsOf(node), nowMs))
    const ending = new Set(this.own.leaving().map(({ plan }) => plan.replica))
    return chooseSlots(seats, wanted, this.plan.max, ending)
  }

  /** Asks the desk of accelerators before it wants what could not be placed. */
  private async lacksRoom(wanted: number, from: number): Promise<boolean> {
    const { pool } = this
    const group = this.own.group()
    if (group === undefined) return true
    const slots = this.slotsFor(wanted)
    const why = await this.room.refusal(group, slots, from)
    if (why !== undefined) this.tellFailure('room', `${pool}/${group.name}: ${slots.length} wanted: ${why}`)
    return why !== undefined
  }

  /** Serving goes on as it is. */
  private failed(error: unknown, { decidedAtMs, again }: { readonly decidedAtMs: number; readonly again: Again }): void {
    const { world } = this
    const why = messageOf(error)
    const nowMs = world.clock.nowMs()
    this.mind.memory.takeBack(decidedAtMs)
    again.failed(why, nowMs)
    world.log.error('scale.failed', { pool: this.pool, group: this.base, error: why })
    const next = `tried again in ${duration(again.leftMs(nowMs))}`
    this.tellFailure('change', `${this.key}: the number of nodes could not be changed: ${why}; ${next}`)
  }

  private againOf(isUp: boolean): Again {
    return isUp ? this.up : this.down
  }

  private tellFailure(what: Parameters<ScaleWorld['failed']>[1], message: string): void {
    this.world.failed({ pool: this.pool, group: this.base }, what)
    this.world.tell(this.pool, message)
  }

  private floor(): number {
    const { plan, world, books, pool, base } = this
    return Math.max(plan.min, books.floors.of(pool, base), scheduledFloor(plan, new Date(world.clock.epochMs())))
  }
}
