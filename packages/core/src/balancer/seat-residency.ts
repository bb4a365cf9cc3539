import { isDeepStrictEqual } from 'node:util'
import type { TimerHandle } from '../base/index.js'
import type { RequestRecord } from '../contracts/index.js'
import { nodePlansOf, restWayOf, type Node } from '../nodes/index.js'
import { areNeighbours, areRivals, placesOf, Residency, type PoolReading, type ResidencyDesk } from '../residency/index.js'
import type { RolloutDesk } from '../rollout/index.js'
import { choosesGpus, type GroupPlan, type PoolChange, type PoolPlan } from '../topology/index.js'
import { rolloutIn } from './steering-world.js'
import type { SteeringParts, SteeringRoom } from './steering.js'

type ResidencyParts = SteeringParts & { readonly rollouts: Pick<RolloutDesk, 'list'> }

/** Seats the room that says which pools are in memory where they share accelerators. */
export function seatResidency(parts: ResidencyParts): ResidencyDesk & SteeringRoom {
  return new ResidencySeat(parts)
}

class ResidencySeat implements ResidencyDesk, SteeringRoom {
  private readonly residency: Residency
  private looking: TimerHandle | undefined
  /** Plugins may read files to say what they need. */
  private readonly fitting = new FitMemory()

  constructor(private readonly parts: ResidencyParts) {
    const { options, eventLog, plans } = parts
    this.residency = new Residency({
      clock: options.clock,
      log: options.log,
      pools: () => this.readings(),
      fits: (names) => this.fits(names),
      isNear: (one, other) => areNeighbours(placesOf(plans.poolOf(one)), placesOf(plans.poolOf(other))),
      rest: (pool) => plans.change(pool, this.changeOf(pool, true)),
      wake: (pool) => plans.change(pool, this.changeOf(pool, false)),
      say: (pool, message) => eventLog.add({ kind: 'residency', pool, message: `${pool} ${message}` }),
    })
  }

  redeclared(): void {
    this.prepare()
  }

  /** Of those that want one place, the one that was awake last begins awake, else the first; the others begin at rest. */
  prepare(): void {
    const { plans, assembly } = this.parts
    const up = new Set(assembly.fleet.nodes().flatMap(({ plan, state }) => (state === 'ready' ? [plan.pool.name] : [])))
    const sharing = this.sharing().toSorted((a, b) => Number(up.has(b.name)) - Number(up.has(a.name)))
    const awake: string[] = []
    for (const { name, groups } of sharing) {
      if (groups.some(({ rests }) => rests === true)) continue
      if (awake.length === 0 || this.fits([...awake, name])) awake.push(name)
      else plans.prepare(name, this.changeOf(name, true))
    }
  }

  begin(): Promise<void> {
    const { assembly } = this.parts
    assembly.fleet.events.on('changed', ({ node }) => {
      if (node.plan.pool.residency !== undefined) this.residency.stir()
    })
    // Which pools fit together is told by what the machine has.
    if (this.sharing().some(({ groups }) => groups.some(choosesGpus))) void this.lookAtMachine()
    this.residency.stir()
    return Promise.resolve()
  }

  private async lookAtMachine(): Promise<void> {
    await this.parts.assembly.gpuBoard.watch.read(FRESH_MS)
    this.fitting.forget()
    this.residency.stir()
  }

  lineChanged(): void {
    if (this.looking !== undefined || this.sharing().length === 0) return
    // A busy line changes a thousand times a second.
    this.looking = this.parts.options.clock.after(LINE_MS, () => {
      this.looking = undefined
      this.residency.stir()
    })
  }

  settled({ pool }: RequestRecord): void {
    if (pool !== null) this.residency.worked(pool)
  }

  stop(): void {
    this.looking?.cancel()
    this.residency.stop()
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- a refusal is a rejection
  async unload(pool: string) {
    this.parts.plans.poolOf(pool)
    return this.residency.unload(pool)
  }

  list() {
    return this.residency.list()
  }

  private sharing(): readonly PoolPlan[] {
    return this.parts.plans.topology.pools.filter(({ residency }) => residency !== undefined)
  }

  private readings(): readonly PoolReading[] {
    const { assembly, rollouts } = this.parts
    const { inLine } = assembly.standing()
    const nodes = assembly.fleet.nodes()
    return this.sharing().flatMap((pool): PoolReading[] => {
      const { name, residency, groups } = pool
      if (residency === undefined) return []
      const own = nodes.filter((node) => node.plan.pool.name === name)
      const failed = own.filter(({ state }) => state === 'failed')
      return [
        {
          name,
          plan: residency,
          rests: groups.some(({ rests }) => rests === true),
          isAtRest: own.every(({ state }) => state === 'asleep'),
          isReady: own.some(({ state }) => state === 'ready'),
          failure: own.length > 0 && failed.length === own.length ? (failed[0]?.reason ?? 'failed') : undefined,
          inFlight: own.reduce((sum, node) => sum + assembly.belief.of(node).inFlight, 0),
          waiting: inLine.get(name) ?? 0,
          pinnedBecause: rolloutIn(rollouts, name) !== undefined ? 'a rollout runs there' : undefined,
          unableBecause: unableBecause(own),
        },
      ]
    })
  }

  private fits(names: readonly string[]): boolean {
    const { plans, options } = this.parts
    return this.fitting.of(names, { of: plans.topology, nowMs: options.clock.nowMs() }, () => this.askFits(names))
  }

  private askFits(names: readonly string[]): boolean {
    const pools = this.sharing().filter(({ name }) => names.includes(name))
    const places = pools.map(placesOf)
    if (places.some((one, index) => places.slice(index + 1).some((other) => areRivals(one, other)))) return false
    const plans = pools.flatMap((pool) => nodePlansOf({ ...this.parts.plans.topology, pools: [pool] }))
    const placed = plans.filter(({ group }) => choosesGpus(group))
    const owners = new Set(placed.map(({ pool }) => pool.name))
    return owners.size < 2 || this.parts.assembly.gpuDesk.fitTogether(placed)
  }

  /** What others have changed in the pool stays; undefined: it is as it was declared. */
  private changeOf(name: string, rests: boolean): PoolChange | undefined {
    const { plans } = this.parts
    const { groups, split, wake } = plans.poolOf(name)
    const changed = groups.map((group) => withRest(group, rests))
    if (split === undefined && isDeepStrictEqual(changed, plans.declaredPoolOf(name).groups)) return undefined
    return { groups: changed, ...(split === undefined ? {} : { split }), ...(wake === undefined ? {} : { wake }) }
  }
}

const FRESH_MS = 2_000
const LINE_MS = 20
const REMEMBERED_MS = 2_000

/** Which sets fit, for a while and for one topology. */
class FitMemory {
  private readonly known = new Map<string, boolean>()
  private topology: object | undefined
  private untilMs = 0

  forget(): void {
    this.untilMs = 0
  }

  of(names: readonly string[], at: { readonly of: object; readonly nowMs: number }, ask: () => boolean): boolean {
    if (at.of !== this.topology || at.nowMs >= this.untilMs) {
      this.known.clear()
      this.topology = at.of
      this.untilMs = at.nowMs + REMEMBERED_MS
    }
    const key = JSON.stringify(names.toSorted())
    const fits = this.known.get(key) ?? ask()
    this.known.set(key, fits)
    return fits
  }
}

function withRest(running: GroupPlan, rests: boolean): GroupPlan {
  const { rests: _rests, ...group } = running
  return rests ? { ...group, rests } : group
}

function unableBecause(nodes: readonly Node[]): string | undefined {
  const stuck = nodes.find((node) => restWayOf(node) === 'idle' && node.endpoint !== undefined)
  return stuck === undefined
    ? undefined
    : `${stuck.id} is a server of somebody else's that can neither be put to sleep nor told to unload its model`
}
