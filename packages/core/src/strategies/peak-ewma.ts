import type { Candidate, RequestFacts, RoutingEvent, Strategy, StrategyContext, StrategyPlugin, TraceSink } from '../contracts/index.js'
import { CostRow, lowestCost } from './cost-row.js'
import { NodeTable } from './node-table.js'
import { numberSetting, settingsSchema } from './settings.js'
import { drawTwo, type TwoDrawn } from './two-choices.js'

interface PeakEwmaSettings {
  readonly per?: 'request' | 'uncached-token'
  readonly among?: 'all' | 'two'
  readonly decayMs?: number
  readonly seedMs?: number
  readonly failureMs?: number
}

const DECAY_MS = 10_000
const SEED_MS = 30
const FAILURE_MS = 5_000
/** No node is taken for free, however long it was quiet. */
const FLOOR_MS = 1
/** What a cost per token is told for, so that seed and floor mean the same in both measures. */
const TOKENS = 1_000
/** A first token has costs that no short prompt saves. */
const FEWEST_TOKENS = 64

/**
 * Peak EWMA, as Finagle and Linkerd have it, on the time to the first token: cost x (requests in flight + 1), the lowest wins. A cost jumps up to a
 * worse sample at once and comes down as an average over `decayMs`, falling on while nothing is measured, so that a node is tried again. It never looks
 * at how long a whole answer took: that is the answer's length. Seed and decay are Linkerd's (30 ms, floored at 1 ms; 10 s).
 */
export const peakEwma: StrategyPlugin<PeakEwmaSettings> = {
  name: 'peak-ewma',
  summary:
    'Recent time to the first token, with its peaks, times requests in flight. Leaves a node that stalls within one answer; knows nothing of caches.',
  settings: settingsSchema({
    per: {
      enum: ['request', 'uncached-token'],
      default: 'request',
      description:
        'What the time to the first token is measured for: a request, or 1,000 prompt tokens that the cache did not hold, so that long prompts do not make a node look slow.',
    },
    among: {
      enum: ['all', 'two'],
      default: 'all',
      description:
        'Which nodes are compared for a request: all, or two drawn by chance, as Finagle and Linkerd do. Two herd less after old samples where first tokens are late.',
    },
    decayMs: numberSetting({ from: 100, to: 600_000, or: DECAY_MS }, 'How fast old samples fade, in ms: to 1/e after so long.'),
    seedMs: numberSetting({ from: FLOOR_MS, to: 600_000, or: SEED_MS }, 'What a node costs before it was measured, in ms.'),
    failureMs: numberSetting({ from: 0, to: 600_000, or: FAILURE_MS }, 'What a failed request counts as at least, in ms.'),
  }),
  create: (context) => new PeakEwma(context),
}

/** Cost of one node at a moment; reading it changes nothing. */
class PeakCost {
  private costMs: number
  private atMs: number

  constructor(
    nowMs: number,
    seedMs: number,
    private readonly decayMs: number,
  ) {
    this.costMs = seedMs
    this.atMs = nowMs
  }

  at(nowMs: number): number {
    return Math.max(FLOOR_MS, this.costMs * this.keptAt(nowMs))
  }

  add(sampleMs: number, nowMs: number): void {
    const kept = this.keptAt(nowMs)
    this.costMs = sampleMs > this.at(nowMs) ? sampleMs : this.costMs * kept + sampleMs * (1 - kept)
    this.atMs = Math.max(this.atMs, nowMs)
  }

  private keptAt(nowMs: number): number {
    return Math.exp(Math.min(0, this.atMs - nowMs) / this.decayMs)
  }
}

class PeakEwma implements Strategy {
  private readonly nodes: NodeTable<PeakCost>
  private readonly loads = new CostRow()
  private readonly drawn: TwoDrawn = { one: 0, other: 0 }

  constructor(private readonly context: StrategyContext<PeakEwmaSettings>) {
    const { clock, settings } = context
    const seedMs = Math.max(FLOOR_MS, settings.seedMs ?? SEED_MS)
    this.nodes = new NodeTable(() => new PeakCost(clock.nowMs(), seedMs, settings.decayMs ?? DECAY_MS))
  }

  pick(_facts: RequestFacts, candidates: readonly Candidate[], trace?: TraceSink): number {
    const nowMs = this.context.clock.nowMs()
    const isOfTwo = this.context.settings.among === 'two'
    const chosen = isOfTwo ? this.lowestOfTwo(candidates, nowMs) : this.lowestOfAll(candidates, nowMs)
    if (trace !== undefined) this.explain(candidates, nowMs, trace)
    return chosen
  }

  observe(event: RoutingEvent): void {
    if (event.kind === 'node-gone') return this.nodes.forget(event)
    if (event.kind === 'first-token') this.nodes.known(event.node)?.add(this.sampleOf(event), event.atMs)
    if (event.kind === 'settled' && event.outcome === 'failed') {
      this.nodes.known(event.node)?.add(Math.max(event.ttftMs ?? event.totalMs, this.context.settings.failureMs ?? FAILURE_MS), event.atMs)
    }
  }

  private sampleOf({ facts, ttftMs, believedCachedTokens }: Extract<RoutingEvent, { kind: 'first-token' }>): number {
    if (this.context.settings.per !== 'uncached-token') return ttftMs
    return (ttftMs * TOKENS) / Math.max(FEWEST_TOKENS, facts.promptTokens - believedCachedTokens)
  }

  private lowestOfAll(candidates: readonly Candidate[], nowMs: number): number {
    const loads = this.loads.of(candidates.length)
    for (let position = 0; position < candidates.length; position += 1) loads[position] = this.loadOf(candidates[position], nowMs)
    return lowestCost(loads, candidates.length, this.context.random)
  }

  private lowestOfTwo(candidates: readonly Candidate[], nowMs: number): number {
    const { one, other } = drawTwo(candidates.length, this.context.random, this.drawn)
    return this.loadOf(candidates[other], nowMs) < this.loadOf(candidates[one], nowMs) ? other : one
  }

  private loadOf(node: Candidate | undefined, nowMs: number): number {
    if (node === undefined) return Infinity
    return (this.nodes.of(node).at(nowMs) * (this.context.belief.of(node).inFlight + 1)) / node.weight
  }

  private explain(candidates: readonly Candidate[], nowMs: number, trace: TraceSink): void {
    trace.unit('ms x requests', 'lowest')
    for (const [position, node] of candidates.entries())
      trace.cost(position, {
        costMs: this.nodes.of(node).at(nowMs),
        requests: this.context.belief.of(node).inFlight + 1,
        load: this.loadOf(node, nowMs),
      })
    const isOfTwo = this.context.settings.among === 'two'
    trace.because(`its recent time to the first token times its requests is the least${isOfTwo ? ' of two nodes drawn by chance' : ''}`)
  }
}
