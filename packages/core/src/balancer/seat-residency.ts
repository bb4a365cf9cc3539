import { isDeepStrictEqual } from '../base/index.js'
import type { TimerHandle } from '../base/index.js'
import type { RequestRecord } from '../contracts/index.js'
import { nodePlansOf, restWayOf, restWords, type Node } from '../nodes/index.js'
import {
  areNeighbours,
  areRivals,
  FitMemory,
  placesOf,
  Residency,
  type PoolReading,
  type ResidencyDesk,
  type ResidencyNews,
  type RestingWait,
} from '../residency/index.js'
import type { RolloutDesk } from '../rollout/index.js'
import { ResidencyMetrics } from '../telemetry/index.js'
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
  private readonly fitting = new FitMemory()
  private readonly metrics: ResidencyMetrics
  /** What requests of pools at rest wait for. */
  private readonly waits = new Map<string, string>()

  constructor(private readonly parts: ResidencyParts) {
    const { options, eventLog, plans, assembly } = parts
    this.residency = new Residency({
      clock: options.clock,
      log: options.log,
      pools: () => this.readings(),
      fits: (names) => this.fits(names),
      isNear: (one, other) => areNeighbours(placesOf(plans.poolOf(one)), placesOf(plans.poolOf(other))),
      rest: (pool) => plans.change(pool, this.changeOf(pool, true)),
      wake: (pool) => plans.change(pool, this.changeOf(pool, false)),
      say: (pool, message) => eventLog.add({ kind: 'residency', pool, message: `${pool} ${message}` }),
      waits: (pool, wait) => this.tellWait(pool, wait),
      news: (news) => this.count(news),
    })
    this.metrics = new ResidencyMetrics(assembly.metrics.registry)
    assembly.metrics.onScrape(() => this.metrics.read(this.list()))
  }

  redeclared(): void {
    this.prepare()
  }

  /** Of those that want one place, the one that was awake last begins awake, else the first; the others begin at rest. Who is being woken comes before who is not. */
  prepare(): void {
    const { plans, assembly } = this.parts
    const nodes = assembly.fleet.nodes()
    const standing = (name: string): number =>
      Math.max(0, ...nodes.flatMap(({ plan, state }) => (plan.pool.name === name ? [STANDING[state] ?? 0] : [])))
    const sharing = this.sharing().toSorted((a, b) => standing(b.name) - standing(a.name))
    const leaving = sharing.filter((pool) => isResting(pool) && nodes.some((node) => node.plan.pool.name === pool.name && holds(node)))
    const awake: string[] = []
    for (const pool of sharing) {
      const { name } = pool
      if (isResting(pool)) continue
      // Who is not there yet finds the place of those taken, too, that are on their way out.
      const held = standing(name) > 0 ? [] : leaving.map((each) => each.name)
      if (this.fits([...awake, ...held, name])) awake.push(name)
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

  /** A client who waited in vain, or need not wait, is told why its node sleeps on. */
  private tellWait(pool: string, { words, isHeldBack }: RestingWait): void {
    const told = words ?? ''
    if (told === (this.waits.get(pool) ?? '')) return
    this.waits.set(pool, told)
    for (const node of this.parts.assembly.fleet.nodes()) {
      if (node.plan.pool.name !== pool) continue
      node.isHeldBack = isHeldBack
      if (node.state === 'asleep') node.move('sleep', words ?? restWords[node.restsBy ?? 'stop'])
    }
  }

  private count(news: ResidencyNews): void {
    if (news.kind === 'awake') return this.metrics.woke(news.pool, news.afterMs)
    if (news.kind === 'not-awake') return this.metrics.wokeInVain(news.pool)
    this.metrics.rested(news.pool, news.reason.why, news.reason.why === 'turn' ? news.reason.of : '')
  }

  private sharing(): readonly PoolPlan[] {
    return this.parts.plans.topology.pools.filter(({ residency }) => residency !== undefined)
  }

  private readings(): readonly PoolReading[] {
    const { assembly, rollouts } = this.parts
    const { inLine } = assembly.standing()
    const nodes = assembly.fleet.nodes()
    return this.sharing().flatMap((pool): PoolReading[] => {
      const { name, residency } = pool
      if (residency === undefined) return []
      const own = nodes.filter((node) => node.plan.pool.name === name)
      const failed = own.filter(({ state }) => state === 'failed')
      return [
        {
          name,
          plan: residency,
          // Without a node it can neither wake nor be in anybody's way.
          rests: isResting(pool) || own.length === 0,
          isAtRest: own.every(({ state }) => state === 'asleep'),
          isReady: own.some(({ state }) => state === 'ready'),
          failure: own.length > 0 && failed.length === own.length ? (failed[0]?.reason ?? 'failed') : undefined,
          isGivenUp: own.length > 0 && own.every((node) => node.isGivenUp && node.state === 'failed'),
          inFlight: own.reduce((sum, node) => sum + assembly.belief.of(node).inFlight, 0),
          waiting: own.length === 0 ? 0 : (inLine.get(name) ?? 0),
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
/** Who has the place, and who is on its way to it. */
const STANDING: Readonly<Partial<Record<Node['state'], number>>> = { ready: 2, suspect: 2, warming: 2, loading: 1, starting: 1 }

function isResting({ groups }: PoolPlan): boolean {
  return groups.some(({ rests }) => rests === true)
}

/** It may have memory. */
function holds({ state }: Node): boolean {
  return state !== 'asleep' && state !== 'stopped' && state !== 'failed' && state !== 'declared'
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
