import { FakeClock, type RandomSource } from '../base/index.js'
import { silentLogger } from '../contracts/index.js'
import type { ResidencyPlan } from '../topology/index.js'
import type { PoolReading } from './pool-reading.js'
import type { ResidencyNews } from './residency-news.js'
import { Residency, type RestingWait } from './residency.js'

interface Served {
  readonly name: string
  readonly plan: ResidencyPlan
  rests: boolean
  /** Its engine holds memory; true also while it is on its way. */
  holds: boolean
  isReady: boolean
  failure: string | undefined
  isPinned: boolean
  unable: boolean
  /** When each request came that waits. */
  line: number[]
  inFlight: number
}

export interface CardOptions {
  readonly sizes: Readonly<Record<string, number>>
  readonly room: number
  readonly plans?: Readonly<Record<string, Partial<ResidencyPlan>>>
  readonly wakeMs?: number
  readonly answerMs?: (random: RandomSource) => number
  readonly random?: RandomSource
  /** Engines that do not start. */
  readonly broken?: ReadonlySet<string>
  /** What does not start, nobody starts again. */
  readonly givesUp?: boolean
  /** What they are thought to need; default: their sizes. */
  readonly thought?: Readonly<Record<string, number>>
  /** Each stands on a machine of its own. */
  readonly apart?: boolean
}

const defaults: ResidencyPlan = { minResidentMs: 30_000, evictCost: 1, wakeWithinMs: 300_000 }

/** Engines that share one accelerator on a clock that the test moves, under the real room: what it does to them takes time, and its laws are checked at each step. */
export class SharedCard {
  readonly clock = new FakeClock()
  readonly residency: Residency
  readonly said: string[] = []
  readonly news: ResidencyNews[] = []
  readonly waitsFor = new Map<string, RestingWait>()
  /** Looking fails so. */
  fault: Error | undefined
  readonly waitsMs: number[] = []
  /** Times at which a pool left that had been awake. */
  readonly swapsMs: number[] = []
  answered = 0
  cut = 0
  crashes = 0
  private readonly pools: Served[]

  constructor(private readonly options: CardOptions) {
    this.pools = Object.keys(options.sizes).map((name, index) => ({
      name,
      plan: { ...defaults, ...options.plans?.[name] },
      rests: index > 0,
      holds: index === 0,
      isReady: index === 0,
      failure: undefined,
      isPinned: false,
      unable: false,
      line: [],
      inFlight: 0,
    }))
    const { thought = options.sizes } = options
    this.residency = new Residency({
      clock: this.clock,
      log: silentLogger,
      pools: () => {
        if (this.fault !== undefined) throw this.fault
        return this.pools.map((pool) => readingOf(pool, options.givesUp === true))
      },
      fits: (names) => names.reduce((sum, name) => sum + (thought[name] ?? 0), 0) <= options.room,
      isNear: () => options.apart !== true,
      rest: (name) => this.rest(this.of(name)),
      wake: (name) => this.wake(this.of(name)),
      say: (name, message) => void this.said.push(`${name} ${message}`),
      waits: (name, wait) => void this.waitsFor.set(name, wait),
      news: (each) => void this.news.push(each),
    })
  }

  of(name: string): Served {
    const pool = this.pools.find((each) => each.name === name)
    if (pool === undefined) throw new Error(`no pool ${name}`)
    return pool
  }

  get awake(): string[] {
    return this.pools.filter(({ isReady }) => isReady).map(({ name }) => name)
  }

  /** A request comes. */
  ask(name: string): void {
    const pool = this.of(name)
    pool.line.push(this.clock.nowMs())
    this.serve(pool)
    this.residency.stir()
  }

  /** Time passes, with room for promises in between. */
  async pass(ms: number, stepMs = 100): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      this.clock.advance(Math.min(stepMs, ms - passed))
      await settle()
    }
  }

  private serve(pool: Served): void {
    if (!pool.isReady || pool.rests) return
    for (const sinceMs of pool.line.splice(0)) {
      this.waitsMs.push(this.clock.nowMs() - sinceMs)
      pool.inFlight += 1
      const { answerMs = () => 500, random } = this.options
      this.clock.after(answerMs(random ?? { next: () => 0.5 }), () => this.answer(pool))
    }
  }

  private answer(pool: Served): void {
    if (!pool.holds) this.cut += 1
    pool.inFlight -= 1
    this.answered += 1
    this.residency.worked(pool.name)
    this.drained(pool)
    this.residency.stir()
  }

  /** Drains, as a node does: what runs ends first. */
  private rest(pool: Served): Promise<void> {
    pool.rests = true
    this.drained(pool)
    return Promise.resolve()
  }

  private drained(pool: Served): void {
    if (!pool.rests || pool.inFlight > 0 || !pool.holds) return
    if (pool.isReady) this.swapsMs.push(this.clock.nowMs())
    pool.isReady = false
    pool.failure = undefined
    this.clock.after(50, () => {
      if (!pool.rests) return
      pool.holds = false
      this.residency.stir()
    })
  }

  private wake(pool: Served): Promise<void> {
    pool.rests = false
    if (pool.isReady) this.serve(pool)
    pool.holds = true
    this.clock.after(this.options.wakeMs ?? 2_000, () => {
      if (pool.rests) return
      const { sizes, room, broken } = this.options
      const used = this.pools.reduce((sum, each) => sum + (each.holds ? (sizes[each.name] ?? 0) : 0), 0)
      if (used > room) this.crashes += 1
      if (used > room || broken?.has(pool.name) === true) pool.failure = 'out of memory'
      else pool.isReady = true
      this.serve(pool)
      this.residency.stir()
    })
    return Promise.resolve()
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 8; turn += 1) await Promise.resolve()
}

function readingOf(
  { name, plan, rests, holds, isReady, failure, isPinned, unable, line, inFlight }: Served,
  givesUp: boolean,
): PoolReading {
  return {
    name,
    plan,
    rests,
    isAtRest: !holds,
    isReady,
    failure,
    isGivenUp: givesUp && failure !== undefined,
    inFlight,
    waiting: line.length,
    pinnedBecause: isPinned ? 'a rollout runs there' : undefined,
    unableBecause: unable ? 'its server cannot be put to rest' : undefined,
  }
}
