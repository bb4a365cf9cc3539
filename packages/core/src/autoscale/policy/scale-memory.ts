import type { ScalePlan, ScaleTarget } from '../../topology/index.js'
import { CapacityBook, type Bearable, type KeptBin } from './capacity-book.js'
import { Demand } from './demand.js'
import { LevelHistory } from './level-history.js'
import { Pace } from './pace.js'
import type { ScaleFacts } from './scale-facts.js'
import { SlidingExtreme } from './sliding-extremes.js'

/** Share of requests that may be slower than a 95th percentile. */
const SLOW_SHARE = 0.05
const ENOUGH_ANSWERS = 60
const ENOUGH_SECONDS = 60
/** A look that comes later than this after the one before tells little of what was between. */
const LONGEST_LOOK_MS = 60_000
const SHORT_MS = 10_000
const LONGEST_TOKEN_S = 60
const DEFAULT_PATIENCE_MS = 2_000

/** Of what the policy has learned, that which outlives a balancer. */
export interface KeptMemory {
  readonly ttft: readonly KeptBin[]
  readonly queue: readonly KeptBin[]
  readonly secondsPerToken: number | null
}

/** What the policy has seen of one group. It holds numbers only, and no clock. */
export class ScaleMemory {
  readonly demand = new Demand()
  /** What was asked for lately. */
  readonly mostAsked = new SlidingExtreme((one, other) => one > other)
  readonly leastAsked = new SlidingExtreme((one, other) => one < other)
  askedSinceMs: number | undefined
  /** When the number of replicas changed, in the last hour. */
  changes: { readonly atMs: number; readonly from: number; readonly to: number }[] = []
  /** When a request was last there. */
  busyAtMs: number | undefined
  /** Requests that wait although nodes should have begun them. */
  excess = 0
  /** Work that waits, in seconds that one node needs for it. */
  queueSeconds = 0
  /** Of all that a group holds, smoothed. */
  tokensInFlight = 0
  kvUsed: number | undefined
  open = 0
  private readonly byTtft = new CapacityBook(ENOUGH_ANSWERS, 1)
  private readonly byQueue = new CapacityBook(ENOUGH_SECONDS, 1)
  private readonly levels = new LevelHistory()
  private readonly pace = new Pace()
  private lookedAtMs: number | undefined
  /** The highest load of one node since work began to pile up; undefined: none does. */
  private piledLevel: number | undefined

  /** Takes in one look. */
  learn(facts: ScaleFacts, { target }: Pick<ScalePlan, 'target'>, nowMs: number): void {
    const passedMs = nowMs - (this.lookedAtMs ?? nowMs)
    const forMs = Math.min(LONGEST_LOOK_MS, passedMs)
    this.lookedAtMs = nowMs
    if (facts.open > 0 || facts.arrivals > 0) this.busyAtMs = nowMs
    this.busyAtMs ??= nowMs
    const arrivals = forMs < passedMs ? (facts.arrivals * forMs) / passedMs : facts.arrivals
    this.demand.learn(arrivals, facts.workTokens, forMs)
    for (const answer of facts.answers) this.pace.learn(answer)
    this.smooth(facts, forMs)
    this.measureQueue(facts, target)
    this.learnLevels(facts, target, { nowMs, forMs })
  }

  /** A change that was decided at that look was not made. */
  takeBack(atMs: number): void {
    this.changes = this.changes.filter((change) => change.atMs !== atMs)
  }

  kept(): KeptMemory {
    return { ttft: this.byTtft.kept(), queue: this.byQueue.kept(), secondsPerToken: this.pace.secondsPerToken ?? null }
  }

  /** What an earlier balancer had learned, so long ago; it may be nonsense. */
  recall(kept: { readonly [Key in keyof KeptMemory]?: unknown }, ageMs: number): void {
    if (Array.isArray(kept.ttft)) this.byTtft.recall(kept.ttft, ageMs)
    if (Array.isArray(kept.queue)) this.byQueue.recall(kept.queue, ageMs)
    const { secondsPerToken } = kept
    if (typeof secondsPerToken === 'number' && secondsPerToken > 0 && secondsPerToken < LONGEST_TOKEN_S) this.pace.recall(secondsPerToken)
  }

  /** What one node bears within the targets of waiting; undefined: nobody knows yet. */
  get bearable(): Bearable | undefined {
    const known = [this.byTtft.bearable, this.byQueue.bearable].filter((each) => each !== undefined)
    return known.reduce<Bearable | undefined>((least, each) => (least === undefined || each.level < least.level ? each : least), undefined)
  }

  private smooth({ tokensInFlight, kvUsed, open }: ScaleFacts, forMs: number): void {
    const keep = Math.exp(-forMs / SHORT_MS)
    this.tokensInFlight += (1 - keep) * (tokensInFlight - this.tokensInFlight)
    this.open += (1 - keep) * (open - this.open)
    if (kvUsed === undefined) this.kvUsed = undefined
    else this.kvUsed = this.kvUsed === undefined ? kvUsed : this.kvUsed + (1 - keep) * (kvUsed - this.kvUsed)
  }

  /** Some always wait; so many more than usual that it is no chance, and the nodes are behind. */
  private measureQueue({ waiting, queuedTokens, ready, others }: ScaleFacts, target: ScaleTarget): void {
    const patienceMs = target.ttftP95Ms ?? (target.queueSeconds === undefined ? DEFAULT_PATIENCE_MS : 1_000 * target.queueSeconds)
    const usual = (this.demand.requestsPerSecond * patienceMs) / 1_000
    this.excess = Math.max(0, waiting - usual - 2 * Math.sqrt(usual) - 1)
    const nodes = Math.max(1, ready + others)
    this.queueSeconds = (queuedTokens * (this.pace.secondsPerToken ?? 0)) / nodes
  }

  private learnLevels(facts: ScaleFacts, target: ScaleTarget, { nowMs, forMs }: { nowMs: number; forMs: number }): void {
    const nodes = facts.ready + facts.others
    const now = nodes > 0 ? this.demand.perSecond / nodes : Infinity
    // What piles up is still to be worked off when the load is less again: the slowness is that of the load under which it piled up.
    this.piledLevel = this.excess === 0 ? undefined : Math.max(this.piledLevel ?? 0, now)
    const level = this.piledLevel ?? now
    this.levels.add(nowMs, level)
    for (const book of [this.byTtft, this.byQueue]) book.look(nowMs)
    if (target.queueSeconds !== undefined) this.byQueue.learn(level, this.queueSeconds / target.queueSeconds, forMs / 1_000)
    const { ttftP95Ms } = target
    if (ttftP95Ms === undefined) return
    for (const { arrivedAtMs, ttftMs } of facts.answers)
      this.byTtft.learn(this.levels.at(arrivedAtMs) ?? 0, ttftMs > ttftP95Ms ? 1 / SLOW_SHARE : 0, 1)
  }
}
