import type { Clock, TimerHandle } from '../base/index.js'
import type { Gpu, Logger, MemoryNeed, MemoryRoom } from '../contracts/index.js'
import { LbError, messageOf } from '../errors/index.js'
import { allowedGpus, gpuKey, isOwnClaim, type GpuHold, type GpuReservations, type GpuWatch, type MachineGpu } from '../machines/index.js'
import { usesOf } from './gpu-ledger.js'
import { gpuName } from './gpu-names.js'
import type { GpuSeeker, Refusal } from './gpu-seeker.js'
import type { AdoptedEngine, GpuSeat, SeatWish } from './gpu-seat.js'
import { gpuWishOf, needOf } from './gpu-wish-of.js'
import { fitText, type MemoryFits } from './memory-fits.js'
import { memorySettled } from './memory-settled.js'
import type { NodePlan } from './node-plan.js'
import { isShared, placeNodes, type Placement } from './placement.js'

export interface GpuDeskOptions {
  readonly watch: GpuWatch
  readonly reservations: GpuReservations
  readonly clock: Clock
  readonly log: Logger
  readonly env: NodeJS.ProcessEnv
  readonly topologyName: string
  /** Every node of the topology, in its order. */
  readonly plans: () => readonly NodePlan[]
  /** What a node's engine expects to take. */
  readonly needOf: (plan: NodePlan) => MemoryNeed | undefined
  /** What its engine says would fit there. */
  readonly fitsOf?: (plan: NodePlan, room: MemoryRoom) => MemoryFits
  /** What names one that was written down; default: as on this machine. */
  readonly keyOf?: (gpu: Gpu) => string
}

interface Seat {
  readonly keys: readonly string[]
  readonly share: boolean
  readonly hold: GpuHold
}

const noHold: GpuHold = { handOver() {}, renew() {}, release() {} }
const noSeat: Seat = { keys: [], share: false, hold: noHold }

/** Figures of this age are good enough to choose by. */
const FRESH_MS = 2_000
const MOST_ROUNDS = 8
const POLL_MS = 500
/** Well within the days after which temporary files are cleared. */
const RENEW_MS = 3_600_000
/** How long the memory of an ended engine is waited for. */
const SETTLE_MS = 30_000

/** Gives the nodes of one balancer their accelerators, one after the other, and takes them back. */
export class GpuDesk {
  private readonly seats = new Map<string, Seat>()
  /** What was free before an engine took its part, by key, from its end until the next launch there. */
  private readonly settling = new Map<string, number | null>()
  private turn: Promise<unknown> = Promise.resolve()
  private renewal: TimerHandle | undefined

  constructor(private readonly options: GpuDeskOptions) {}

  /** Keys of what a node holds; undefined where nobody chose for it. */
  heldBy(nodeId: string): readonly string[] | undefined {
    return this.seats.get(nodeId)?.keys
  }

  /** A seat for a node that asks for one; undefined where it does not. Throws LB_NO_GPU with what would fit. */
  async take(plan: NodePlan, wish: SeatWish): Promise<GpuSeat | undefined> {
    if (gpuWishOf(plan) === undefined) return undefined
    for (;;) {
      const ending = this.ending(plan.id)
      const taken = ending.includes(plan.id)
        ? undefined
        : await this.inTurn(() => this.seated(plan, wish)).catch((error: unknown) => this.orWait(error, ending, wish))
      if (taken !== undefined) return this.afterSettling(plan, taken, wish)
      if (ending.length > 0) await this.pause(ending, wish)
    }
  }

  /** The same accelerators again for an engine that slept: waits for those who leave them, and for their memory. Undefined: somebody else has them. */
  async retake(plan: NodePlan, engine: AdoptedEngine, wish: SeatWish): Promise<Pick<GpuSeat, 'release'> | undefined> {
    const keys = engine.gpus.map(this.options.keyOf ?? gpuKey)
    if (gpuWishOf(plan) === undefined || keys.length === 0) return { release() {} }
    for (;;) {
      const seat = await this.inTurn(() => this.reserve(plan, keys, wish.mark))
      if (seat !== undefined) {
        this.sit(plan.id, seat)
        seat.hold.handOver(engine.identity)
        await this.settled(plan, keys, wish)
        return { release: (keepsSome) => this.free(plan.id, seat, new Map(), keepsSome) }
      }
      const ending = this.ending(plan.id)
      if (ending.length === 0 || !wish.wanted()) return undefined
      await this.pause(ending, wish)
    }
  }

  /** Whether all these could sit at once beside the nodes that always stay; undefined while nobody knows what there is. */
  fitTogether(plans: readonly NodePlan[]): boolean | undefined {
    const { watch, env } = this.options
    const gpus = allowedGpus(watch.last?.gpus ?? [], env)
    if (gpus.length === 0) return undefined
    const staying = this.options.plans().filter(({ pool }) => pool.residency === undefined)
    const seekers = [...staying, ...plans].flatMap((each) => this.seekerOf(each, false))
    // As if nothing ran: what they take is counted as they expect it.
    const empty = gpus.map((gpu) => ({ ...gpu, memFreeMiB: gpu.memTotalMiB }))
    const placed = placeNodes({ gpus: empty, seekers, taken: [] })
    return plans.every(({ id }) => placed.get(id)?.refusal === undefined && placed.get(id)?.room === undefined)
  }

  private pause(ending: readonly string[], wish: SeatWish): Promise<void> {
    wish.say(`waiting for ${ending.join(', ')} to end`)
    return new Promise((resolve) => void this.options.clock.after(POLL_MS, resolve))
  }

  /** Gives an error on unless there is somebody to wait for, or memory that is still coming back. */
  private async orWait(error: unknown, ending: readonly string[], wish: SeatWish): Promise<undefined> {
    if (!wish.wanted() || (ending.length === 0 && this.settling.size === 0)) throw error
    if (ending.length > 0) return
    const gpus = new Map(this.settling)
    await memorySettled({ ...this.options, gpus, needMiB: null, withinMs: SETTLE_MS, ...wish })
    for (const key of gpus.keys()) this.settling.delete(key)
  }

  /** The seat of an engine that outlived its balancer: its reservation has outlived it too, or is made anew where somebody has cleared it away. */
  async adopt(plan: NodePlan, engine: AdoptedEngine): Promise<Pick<GpuSeat, 'release'> | undefined> {
    const { id } = plan
    if (gpuWishOf(plan) === undefined) return undefined
    const seat = engine.gpus.length === 0 ? noSeat : await this.inTurn(() => this.reclaimed(plan, engine))
    if (seat === undefined) {
      this.options.log.warn('gpu.taken_meanwhile', { node: id, gpus: engine.gpus.map(gpuName).join(', ') })
      return undefined
    }
    this.sit(id, seat)
    return { release: (keepsSome) => this.free(id, seat, new Map(), keepsSome) }
  }

  private async reclaimed(plan: NodePlan, { mark, gpus, identity }: AdoptedEngine): Promise<Seat | undefined> {
    const adopted = await this.options.reservations.adopt(mark)
    if (adopted !== undefined) return { ...adopted, share: isSharedBy(plan) }
    const seat = await this.reserve(plan, gpus.map(this.options.keyOf ?? gpuKey), mark)
    seat?.hold.handOver(identity)
    return seat
  }

  /** Nodes that hold a seat although the topology has them no more, or as this one's life before: they drain, and will be gone. */
  private ending(nodeId: string): string[] {
    const staying = new Set(this.options.plans().map((plan) => plan.id))
    return [...this.seats.keys()].filter((id) => id === nodeId || !staying.has(id))
  }

  private inTurn<Value>(task: () => Promise<Value>): Promise<Value> {
    const done = this.turn.then(task)
    this.turn = done.catch(() => undefined)
    return done
  }

  private async seated(plan: NodePlan, { mark }: SeatWish): Promise<{ placement: Placement; seat: Seat }> {
    if (gpuWishOf(plan)?.kind === 'none') return { placement: { id: plan.id, gpus: [], notes: [] }, seat: this.sit(plan.id, noSeat) }
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      const placement = await this.place(plan)
      if (placement.refusal !== undefined) throw noGpu(this.withBestFit(plan, placement.refusal, placement.room))
      const seat = await this.reserve(
        plan,
        placement.gpus.map((gpu) => gpu.key),
        mark,
      )
      // Somebody was quicker: there may be another.
      if (seat === undefined) continue
      this.sit(plan.id, seat)
      for (const note of placement.notes) this.options.log.info('gpu.note', { node: plan.id, note })
      return { placement, seat }
    }
    throw noGpu({ message: 'other topologies take every GPU before it', hint: 'lb gpus shows who holds which' })
  }

  /** The hint names the least harmful way; `lb plan` has the others. */
  private withBestFit(plan: NodePlan, refusal: Refusal, room: MemoryRoom | undefined): Refusal {
    const { ways = [], problem } = (room === undefined ? undefined : this.options.fitsOf?.(plan, room)) ?? {}
    if (problem !== undefined) this.options.log.warn('plugin.fit_options_failed', { node: plan.id, problem })
    const [best, ...others] = ways
    if (best === undefined) return refusal
    const more = others.length === 0 ? '' : '; lb plan names other ways'
    return { ...refusal, hint: `${fitText(best)}: ${best.why}${more}${refusal.isGuess === true ? '' : `; or ${refusal.hint}`}` }
  }

  private sit(nodeId: string, seat: Seat): Seat {
    this.seats.set(nodeId, seat)
    this.renewal ??= this.options.clock.after(RENEW_MS, () => this.renew())
    return seat
  }

  /** Timers run only while something is held. */
  private renew(): void {
    this.renewal = undefined
    for (const [nodeId, { hold }] of this.seats) {
      try {
        hold.renew()
      } catch (error) {
        this.options.log.warn('gpu.not_renewed', { node: nodeId, error: messageOf(error) })
      }
    }
    if (this.seats.size > 0) this.renewal = this.options.clock.after(RENEW_MS, () => this.renew())
  }

  private async reserve(plan: NodePlan, keys: readonly string[], mark: string): Promise<Seat | undefined> {
    const share = isSharedBy(plan)
    const need = needOf(plan, this.options.needOf(plan))
    const holder = `${this.options.topologyName}/${plan.id}`
    const needMiB = need === undefined ? null : Math.round(need.mib / keys.length)
    const taken = await this.options.reservations.take({ keys, holder, mark, share, needMiB })
    return 'taken' in taken ? undefined : { keys, share, hold: taken.hold }
  }

  private async place(plan: NodePlan): Promise<Placement> {
    const { watch, reservations, env, topologyName, plans } = this.options
    const reading = await watch.read(FRESH_MS)
    const all = plans()
    const staying = new Set(all.flatMap((each) => this.seats.get(each.id)?.keys ?? []))
    const claims = await reservations.living()
    const placed = placeNodes({
      gpus: allowedGpus(reading.gpus, env),
      // One that leaves the topology while it starts is still to be placed.
      seekers: (all.some((each) => each.id === plan.id) ? all : [...all, plan]).flatMap((each) => this.seekerOf(each)),
      taken: usesOf(claims.filter((claim) => !(staying.has(claim.key) && isOwnClaim(claim, topologyName)))),
      soonFreeMiB: new Map([...this.settling].flatMap(([key, free]) => (free === null ? [] : [[key, free]]))),
      problems: reading.problems.map((problem) => problem.message),
    })
    return placed.get(plan.id) ?? { id: plan.id, gpus: [], notes: [] }
  }

  private seekerOf(plan: NodePlan, keepsSeat = true): GpuSeeker[] {
    const wish = gpuWishOf(plan)
    if (wish === undefined) return []
    const need = needOf(plan, this.options.needOf(plan))
    const held = keepsSeat ? this.heldBy(plan.id) : undefined
    const { id, replica } = plan
    return [{ id, replica, wish, ...(need === undefined ? {} : { need }), ...(held === undefined ? {} : { held }) }]
  }

  /** The memory of an engine that has ended comes back later than its process goes. */
  private async afterSettling(plan: NodePlan, { placement, seat }: { placement: Placement; seat: Seat }, wish: SeatWish): Promise<GpuSeat> {
    const { gpus } = placement
    await this.settled(
      plan,
      gpus.map(({ key }) => key),
      wish,
    )
    const before = new Map(gpus.map((gpu) => [gpu.key, freeNow(this.options.watch, gpu)]))
    return this.seatOf(plan, gpus, { seat, before })
  }

  private async settled(plan: NodePlan, keys: readonly string[], wish: SeatWish): Promise<void> {
    const { clock, watch, log } = this.options
    const need = needOf(plan, this.options.needOf(plan))
    const gpus = new Map(keys.flatMap((key) => (this.settling.has(key) ? [[key, this.settling.get(key) ?? null]] : [])))
    const needMiB = need === undefined ? null : need.mib / keys.length
    const isFree = gpus.size === 0 || (await memorySettled({ watch, clock, gpus, needMiB, withinMs: SETTLE_MS, ...wish }))
    if (!isFree) log.warn('gpu.memory_not_free', { node: plan.id, gpus: keys.join(', ') })
    for (const key of keys) this.settling.delete(key)
  }

  private seatOf(
    plan: NodePlan,
    gpus: readonly MachineGpu[],
    { seat, before }: { seat: Seat; before: ReadonlyMap<string, number | null> },
  ): GpuSeat {
    return {
      gpus,
      started: (engine) => seat.hold.handOver(engine),
      release: (keepsSome) => this.free(plan.id, seat, before, keepsSome),
    }
  }

  private free(nodeId: string, seat: Seat, before: ReadonlyMap<string, number | null>, keepsSome = false): void {
    if (this.seats.get(nodeId) !== seat) return
    this.seats.delete(nodeId)
    // What was free beside an engine that shares it, or that sleeps on, says nothing of later.
    for (const key of seat.keys) this.settling.set(key, seat.share || keepsSome ? null : (before.get(key) ?? null))
    seat.hold.release()
  }
}

function isSharedBy(plan: NodePlan): boolean {
  const wish = gpuWishOf(plan)
  return wish !== undefined && isShared(wish)
}

function freeNow(watch: GpuWatch, { key }: MachineGpu): number | null {
  return watch.last?.gpus.find((gpu) => gpu.key === key)?.memFreeMiB ?? null
}

function noGpu({ message, hint }: { readonly message: string; readonly hint: string }): LbError {
  return new LbError(message, { code: 'LB_NO_GPU', source: 'operator', hint })
}
