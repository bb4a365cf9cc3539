import type {
  Candidate,
  NodeBelief,
  RequestFacts,
  RoutingEvent,
  Strategy,
  StrategyContext,
  StrategyPlugin,
  TraceSink,
} from '../contracts/index.js'
import { CostRow, lowestCost } from './cost-row.js'
import { NodeTable } from './node-table.js'
import { RecentQuantile } from './recent-quantile.js'
import { numberSetting, settingsSchema } from './settings.js'

interface PrequalSettings {
  readonly hotQuantile?: number
  readonly pollMaxAgeMs?: number
  readonly pollReuse?: number
}

const HOT_QUANTILE = 0.6
const POLL_MAX_AGE_MS = 1_000
const POLL_REUSE = 16

/**
 * Prequal (Wydrowski and others, "Load is not what you should balance", NSDI 2024): a node is hot when its requests in flight are over a quantile of
 * those seen lately; of the cold ones the one with the lowest latency wins, and when all are hot the one with the fewest requests.
 *
 * Where the paper probes three servers for each query and keeps a pool of answers, nothing is sent here: our own counts are always fresh, and what an
 * engine said at its last poll stands for a probe, for the requests of other clients. It serves no longer than `pollMaxAgeMs` and for no more than
 * `pollReuse` choices of that node (the paper reckons this from its rates of probing and removal, at most 16 times), and each of our own requests since
 * then is added. All candidates are compared, not a pool of 16. Latency is that to the first
 * token, as a moving mean for each power of two of requests in flight, where the paper takes the median of recent answers at a like number. The quantile is
 * that of the last 64 loads looked at, one for each choice; the paper's is .84, .6 herds less.
 */
export const prequal: StrategyPlugin<PrequalSettings> = {
  name: 'prequal',
  summary:
    'Of the nodes that are not among the fullest, the one with the quickest first token at such a load. Good when clients of others use the nodes too; knows nothing of caches.',
  settings: settingsSchema({
    hotQuantile: numberSetting(
      { from: 0, to: 1, or: HOT_QUANTILE },
      'A node is hot with more requests in flight than this quantile of what was seen lately.',
    ),
    pollMaxAgeMs: numberSetting(
      { from: 0, to: 600_000, or: POLL_MAX_AGE_MS },
      'Longest time in ms for which an answer to a poll is believed.',
    ),
    pollReuse: numberSetting({ from: 0, to: 10_000, or: POLL_REUSE }, 'How many requests a node may get on the ground of one poll.'),
  }),
  create: (context) => new Prequal(context),
}

/** What a request that failed without a first token counts as at least. */
const FAILURE_MS = 5_000
/** Moving weight of one more first token. */
const LEARNING = 0.1
const BUCKETS = 16

/** What is remembered of one node. */
class ProbedNode {
  /** Mean TTFT in ms by power of two of requests in flight; NaN = not seen. */
  private readonly ttftMs = new Float64Array(BUCKETS).fill(NaN)
  private pollAtMs = NaN
  /** Requests sent since the poll. */
  private sent = 0

  sentOne(): void {
    this.sent += 1
  }

  /** Requests at the node: our own, or what a poll that may still be used knows more. */
  requests({ inFlight, load, loadAtMs }: NodeBelief, oldestMs: number, reuse: number): number {
    if (load === undefined || loadAtMs < oldestMs) return inFlight
    if (loadAtMs !== this.pollAtMs) {
      this.pollAtMs = loadAtMs
      this.sent = 0
    }
    return this.sent >= reuse ? inFlight : Math.max(inFlight, (load.running ?? 0) + (load.waiting ?? 0) + this.sent)
  }

  learn(requests: number, ttftMs: number): void {
    const bucket = bucketOf(requests)
    const before = this.ttftMs[bucket] ?? NaN
    this.ttftMs[bucket] = Number.isNaN(before) ? ttftMs : before + LEARNING * (ttftMs - before)
  }

  /** TTFT at so many requests: of the nearest number that was seen; 0 before any, so that a new node is tried until it is hot. */
  latencyMs(requests: number): number {
    const bucket = bucketOf(requests)
    for (let away = 0; away < BUCKETS; away += 1) {
      const above = this.ttftMs[bucket + away] ?? NaN
      const below = this.ttftMs[bucket - away] ?? NaN
      if (!Number.isNaN(below)) return below
      if (!Number.isNaN(above)) return above
    }
    return 0
  }
}

function bucketOf(requests: number): number {
  return Math.min(BUCKETS - 1, 31 - Math.clz32(requests + 1))
}

class Prequal implements Strategy {
  private readonly nodes = new NodeTable(() => new ProbedNode())
  private readonly loads = new CostRow()
  private readonly costs = new CostRow()
  /** Of loads seen lately, one for each choice. */
  private readonly hotAbove: RecentQuantile
  private turn = 0

  constructor(private readonly context: StrategyContext<PrequalSettings>) {
    this.hotAbove = new RecentQuantile(context.settings.hotQuantile ?? HOT_QUANTILE)
  }

  pick(_facts: RequestFacts, candidates: readonly Candidate[], trace?: TraceSink): number {
    const count = candidates.length
    const loads = this.loads.of(count)
    this.countRequests(candidates, loads)
    this.turn = (this.turn + 1) % count
    this.hotAbove.add(loads[this.turn] ?? 0)
    const limit = this.hotAbove.value
    const costs = this.costs.of(count)
    let cold = 0
    for (let position = 0; position < count; position += 1) {
      const load = loads[position] ?? 0
      const node = candidates[position]
      const isCold = node !== undefined && load <= limit
      if (isCold) cold += 1
      costs[position] = isCold ? this.nodes.of(node).latencyMs(load * node.weight) : Infinity
    }
    const chosen = lowestCost(cold === 0 ? loads : costs, count, this.context.random)
    if (trace !== undefined) this.explain(candidates, cold > 0, trace)
    return chosen
  }

  observe(event: RoutingEvent): void {
    if (event.kind === 'node-gone') return this.nodes.forget(event)
    const known = this.nodes.known(event.node)
    if (event.kind === 'dispatched') known?.sentOne()
    if (event.kind === 'first-token') known?.learn(this.context.belief.of(event.node).inFlight, event.ttftMs)
    if (event.kind === 'settled' && event.outcome === 'failed' && event.ttftMs === undefined)
      known?.learn(this.context.belief.of(event.node).inFlight, Math.max(FAILURE_MS, event.totalMs))
  }

  /** Requests at each candidate for its weight. */
  private countRequests(candidates: readonly Candidate[], loads: Float64Array): void {
    const { belief, clock, settings } = this.context
    const oldestMs = clock.nowMs() - (settings.pollMaxAgeMs ?? POLL_MAX_AGE_MS)
    const reuse = settings.pollReuse ?? POLL_REUSE
    for (let position = 0; position < candidates.length; position += 1) {
      const node = candidates[position]
      if (node !== undefined) loads[position] = this.nodes.of(node).requests(belief.of(node), oldestMs, reuse) / node.weight
    }
  }

  private explain(candidates: readonly Candidate[], isAnyCold: boolean, trace: TraceSink): void {
    const loads = this.loads.of(candidates.length)
    trace.unit(isAnyCold ? 'ms, of cold nodes' : 'requests', 'lowest')
    for (const [position, node] of candidates.entries()) {
      const load = loads[position] ?? 0
      trace.cost(position, {
        requests: load,
        hotAbove: this.hotAbove.value,
        latencyMs: this.nodes.of(node).latencyMs(load * node.weight),
      })
    }
    trace.because(
      isAnyCold
        ? 'its first token is the quickest of the nodes that are not among the fullest'
        : 'all are full, it has the fewest requests',
    )
  }
}
