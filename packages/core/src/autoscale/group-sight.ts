import type { RequestRecord } from '../contracts/index.js'
import type { Node } from '../nodes/index.js'
import type { Seat } from './choose-slots.js'
import { type ScaleAnswer, type ScaleFacts, workOf } from './policy/index.js'

/** Until requests have shown what they cost. */
const FIRST_TOKENS = 1_000
/** Part of the newest request in the mean of what requests cost, once there were some. */
const NEWEST = 0.003
const WARM_FOR_MS = 300_000
/** Answers between two looks beyond this tell nothing new. */
const MOST_ANSWERS = 4_096

/** What is counted of a node right now. */
export interface NodeCounts {
  readonly inFlight: number
  readonly waiting: number
  readonly prefillTokens: number
  readonly tokensInFlight: number
}

/** What the nodes of a pool do. */
export interface PoolSight {
  /** All of the pool, those that leave it too. */
  readonly nodes: readonly Node[]
  readonly countsOf: (node: Node) => NodeCounts
  /** Requests in line, over all threads. */
  readonly inLine: number
}

type Seen = Omit<ScaleFacts, 'replicas' | 'startMs' | 'triggers' | 'floor' | 'scheduled' | 'room' | 'held' | 'reliesOn'>

/** What requests of a pool were seen to cost. */
export interface KeptSight {
  readonly workTokens: number
  readonly computedTokens: number
  readonly answered: number
}

/** Makes facts for the policy of what happens in a pool. */
export class GroupSight {
  private settledCount = 0
  private answeredCount = 0
  private openBefore = 0
  private answers: ScaleAnswer[] = []
  private workTokens = FIRST_TOKENS
  private computedTokens = FIRST_TOKENS
  private readonly warm = new Map<string, { tokens: number; atMs: number }>()

  /** A request of the pool has ended; `ageMs` after it came. */
  settled(record: RequestRecord, nowMs: number): void {
    this.settledCount += 1
    const { promptTokens, completionTokens, cachedTokens, ttftMs, node } = record
    if (ttftMs === null || node === null) return
    const computedTokens = Math.max(0, promptTokens - (cachedTokens ?? 0))
    const part = Math.max(NEWEST, 1 / ++this.answeredCount)
    this.workTokens += part * (workOf(computedTokens, completionTokens) - this.workTokens)
    this.computedTokens += part * (computedTokens - this.computedTokens)
    if (this.answers.length < MOST_ANSWERS) this.answers.push({ arrivedAtMs: nowMs - record.totalMs, ttftMs, computedTokens })
    this.warm.set(node, { tokens: this.warmTokens(node, nowMs) + (cachedTokens ?? 0), atMs: nowMs })
  }

  kept(): KeptSight {
    return { workTokens: Math.round(this.workTokens), computedTokens: Math.round(this.computedTokens), answered: this.answeredCount }
  }

  /** What an earlier balancer saw; it may be nonsense. */
  recall({ workTokens, computedTokens, answered }: { readonly [Key in keyof KeptSight]?: unknown }): void {
    if (!isTokens(workTokens) || !isTokens(computedTokens) || typeof answered !== 'number' || !(answered > 0)) return
    this.workTokens = workTokens
    this.computedTokens = computedTokens
    this.answeredCount = Math.min(answered, 1 / NEWEST)
  }

  /** What came since the look before. */
  look({ nodes, countsOf, inLine }: PoolSight, isOurs: (node: Node) => boolean, weight: number): Seen {
    const sum = { inFlight: 0, waiting: 0, prefillTokens: 0, tokensInFlight: 0 }
    for (const node of nodes) {
      const counts = countsOf(node)
      for (const key of ['inFlight', 'waiting', 'prefillTokens', 'tokensInFlight'] as const) sum[key] += counts[key]
    }
    const open = sum.inFlight + inLine
    const arrivals = Math.max(0, this.settledCount + open - this.openBefore)
    this.openBefore = open
    this.settledCount = 0
    const { answers } = this
    this.answers = []
    const ready = nodes.filter((node) => node.state === 'ready')
    const others = ready.filter((node) => !isOurs(node)).reduce((share, node) => share + node.plan.group.weight / weight, 0)
    const kvUsed = meanOf(ready.filter(isOurs).flatMap((node) => node.load?.facts.kvUsedRatio ?? []))
    return {
      ready: ready.filter(isOurs).length,
      others,
      arrivals,
      workTokens: this.workTokens,
      answers,
      waiting: sum.waiting + inLine,
      queuedTokens: sum.prefillTokens + inLine * this.computedTokens,
      open,
      tokensInFlight: sum.tokensInFlight,
      ...(kvUsed === undefined ? {} : { kvUsed }),
    }
  }

  /** Who is there, for the choice of who goes. */
  seatOf(node: Node, { inFlight }: NodeCounts, nowMs: number): Seat {
    const { replica: slot } = node.plan
    const state = node.isGivenUp
      ? 'lost'
      : node.state === 'ready' || node.state === 'suspect' || node.state === 'warming'
        ? 'ready'
        : 'coming'
    return { slot, state, inFlight, warmTokens: this.warmTokens(node.id, nowMs), sinceMs: node.sinceMs }
  }

  private warmTokens(node: string, nowMs: number): number {
    const warm = this.warm.get(node)
    return warm === undefined ? 0 : warm.tokens * Math.exp((warm.atMs - nowMs) / WARM_FOR_MS)
  }

  /** Forgets nodes that are gone. */
  retain(ids: ReadonlySet<string>): void {
    for (const id of this.warm.keys()) if (!ids.has(id)) this.warm.delete(id)
  }
}

function isTokens(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < 1e9
}

function meanOf(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, each) => sum + each, 0) / values.length
}
