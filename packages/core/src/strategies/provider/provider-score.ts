import type { Candidate, RequestFacts, RoutingEvent, Strategy, StrategyContext, StrategyPlugin, TraceSink } from '../../contracts/index.js'
import { CostRow, lowestCost } from '../cost-row.js'
import { NodeTable } from '../node-table.js'
import { numberSetting, settingsSchema } from '../settings.js'
import { drawByWeight } from '../weighted-draw.js'
import { MinuteRing } from './minute-ring.js'
import { scoreOf, termsOfAll, uptimeOf, type ProviderTerms, type ProviderView, type ProviderWeights } from './provider-terms.js'

interface ProviderScoreSettings {
  readonly priceWeight?: number
  readonly uptimeWeight?: number
  readonly throughputWeight?: number
  readonly latencyWeight?: number
  readonly stayMs?: number
  readonly explore?: number
}

const WEIGHTS: ProviderWeights = { price: 0.6, uptime: 0.5, throughput: 0.05, latency: 0.025 }
const STAY_MS = 3_600_000
const EXPLORE = 0.01
/** Uptime below which a provider is left at once. */
const LEAVE_UPTIME_PERCENT = 85
/** How much better another must be to be changed to earlier. */
const LEAVE_LEAD = 0.15

/**
 * For providers that cost money: price first, then uptime, throughput and time to the first token, with LLMGateway's published weights and penalty, over
 * an hour in which the last minutes count more. It stays with its provider for an hour, which keeps prompt caches warm there, unless that fails or another is clearly better; one
 * request in a hundred goes elsewhere, so that the others stay known. It does not look at load: providers have room.
 */
export const providerScore: StrategyPlugin<ProviderScoreSettings> = {
  name: 'provider-score',
  summary:
    'Price, uptime, throughput and latency of the last hour in one score; stays with the best provider until it fails or another is clearly better. For hosted providers; blind to load.',
  settings: settingsSchema({
    priceWeight: numberSetting({ from: 0, to: 100, or: WEIGHTS.price }, 'Weight of the price of the request.'),
    uptimeWeight: numberSetting({ from: 0, to: 100, or: WEIGHTS.uptime }, 'Weight of the share of requests that were answered.'),
    throughputWeight: numberSetting({ from: 0, to: 100, or: WEIGHTS.throughput }, 'Weight of the output tokens per second.'),
    latencyWeight: numberSetting({ from: 0, to: 100, or: WEIGHTS.latency }, 'Weight of the time to the first token, for streams.'),
    stayMs: numberSetting({ from: 0, to: 86_400_000, or: STAY_MS }, 'How long it stays with a provider, in ms, while that is good.'),
    explore: numberSetting({ from: 0, to: 1, or: EXPLORE }, 'Share of requests that go to any provider, so that the others stay known.'),
  }),
  create: (context) => new ProviderScore(context),
}

class ProviderScore implements Strategy {
  private readonly weights: ProviderWeights
  private readonly stayMs: number
  private readonly explore: number
  private readonly rings = new NodeTable(() => new MinuteRing())
  private readonly scores = new CostRow()
  private preferred: { readonly id: string; readonly sinceMs: number } | undefined

  constructor(private readonly context: StrategyContext<ProviderScoreSettings>) {
    const { priceWeight, uptimeWeight, throughputWeight, latencyWeight, stayMs, explore } = context.settings
    this.weights = {
      price: priceWeight ?? WEIGHTS.price,
      uptime: uptimeWeight ?? WEIGHTS.uptime,
      throughput: throughputWeight ?? WEIGHTS.throughput,
      latency: latencyWeight ?? WEIGHTS.latency,
    }
    this.stayMs = stayMs ?? STAY_MS
    this.explore = explore ?? EXPLORE
  }

  pick(facts: RequestFacts, candidates: readonly Candidate[], trace?: TraceSink): number {
    const { random, clock } = this.context
    const nowMs = clock.nowMs()
    const views = candidates.map((node) => ({ node, figures: this.rings.of(node).sum(nowMs) }))
    const terms = termsOfAll(views, facts, this.weights)
    if (trace !== undefined) explain(terms, trace)
    if (random.next() < this.explore) {
      trace?.because('now and then any provider is asked, so that all stay known')
      return drawByWeight(candidates, () => true, random)
    }
    const scores = this.scores.of(candidates.length)
    for (const [position, each] of terms.entries()) scores[position] = scoreOf(each)
    const best = lowestCost(scores, candidates.length, random)
    const stayed = this.stays(views, scores, best)
    trace?.because(stayed >= 0 ? 'it is the provider in use, and no other is clearly better' : 'its score is the best')
    if (stayed >= 0) return stayed
    this.prefer(candidates, best)
    return best
  }

  observe(event: RoutingEvent): void {
    if (event.kind === 'node-gone') {
      if (this.preferred?.id === event.id) this.preferred = undefined
      return this.rings.forget(event)
    }
    if (event.kind !== 'settled' || event.outcome === 'cancelled') return
    const ring = this.rings.known(event.node)
    if (event.outcome === 'failed') ring?.failed(event.atMs)
    else ring?.answered(event.atMs, event)
  }

  /** Position of the preferred provider while it is kept, else -1. */
  private stays(views: readonly ProviderView[], scores: Float64Array, best: number): number {
    const { preferred } = this
    if (preferred === undefined || this.context.clock.nowMs() - preferred.sinceMs >= this.stayMs) return -1
    const position = views.findIndex(({ node }) => node.id === preferred.id)
    const view = views[position]
    if (view === undefined || uptimeOf(view.figures) < LEAVE_UPTIME_PERCENT) return -1
    return (scores[position] ?? 0) - (scores[best] ?? 0) > LEAVE_LEAD ? -1 : position
  }

  /** A provider that is left out of one retry is still the one to come back to. */
  private prefer(candidates: readonly Candidate[], best: number): void {
    const node = candidates[best]
    const isLeftOut = this.preferred !== undefined && !candidates.some(({ id }) => id === this.preferred?.id)
    if (node !== undefined && !isLeftOut) this.preferred = { id: node.id, sinceMs: this.context.clock.nowMs() }
  }
}

function explain(terms: readonly ProviderTerms[], trace: TraceSink): void {
  trace.unit('score', 'lowest')
  for (const [position, { price, uptime, throughput, latency, priority, penalty }] of terms.entries())
    trace.cost(position, { price, uptime, throughput, latency, priority, penalty })
}
