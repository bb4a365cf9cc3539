import type { Candidate, RequestFacts, RoutingEvent, Strategy, StrategyContext, StrategyPlugin, TraceSink } from '../../contracts/index.js'
import { CostRow, lowestCost } from '../cost-row.js'
import { lmetric } from '../lmetric.js'
import { numberSetting, settingsSchema } from '../settings.js'
import { drawByWeight } from '../weighted-draw.js'
import { LatencyPredictor } from './latency-predictor.js'
import { predictorOptions, predictorSettings, type PredictorSettings } from './predictor-settings.js'

interface SloSettings extends PredictorSettings {
  readonly ttftMs?: number
  readonly headroom?: 'least' | 'most'
  readonly margin?: number
  readonly explore?: number
}

const TTFT_MS = 2_000
const MARGIN = 0.2
const EXPLORE = 0.01

/**
 * Headroom is the objective for the first token (`x-lb-slo-ttft-ms`, else `ttftMs`) less what is predicted. Nodes with headroom come first: the one with
 * the least of it, which packs requests together and keeps the quick nodes for those in a hurry, or the one with the most. With headroom nowhere, the lowest prediction wins.
 * The tiers, the bin packing and the 1 % of exploration are those of llm-d's scheduler with latency prediction.
 */
export const slo: StrategyPlugin<SloSettings> = {
  name: 'slo',
  summary:
    "Keeps each request's objective for the first token with the node that just does, so that the quick ones stay free. Good when requests differ in urgency; lmetric decides while predictions err.",
  settings: settingsSchema({
    ttftMs: numberSetting(
      { from: 1, to: 3.6e6, or: TTFT_MS },
      'Objective for the first token in ms, where the request has no `x-lb-slo-ttft-ms`.',
    ),
    headroom: {
      enum: ['least', 'most'],
      default: 'least',
      description: 'Which node with headroom is taken: the one with the least of it, or the one with the most.',
    },
    margin: numberSetting({ from: 0, to: 1, or: MARGIN }, 'Share of the objective that is kept free for errors of the prediction.'),
    explore: numberSetting(
      { from: 0, to: 1, or: EXPLORE },
      'Share of requests that go to any node, so that predictions stay honest everywhere.',
    ),
    ...predictorSettings,
  }),
  create: (context) => new Slo(context),
}

class Slo implements Strategy {
  private readonly predictor: LatencyPredictor
  private readonly otherwise: Strategy
  private readonly costs = new CostRow()

  constructor(private readonly context: StrategyContext<SloSettings>) {
    this.predictor = new LatencyPredictor(context.belief, predictorOptions(context.settings))
    this.otherwise = lmetric.create({ ...context, settings: {} })
  }

  pick(facts: RequestFacts, candidates: readonly Candidate[], trace?: TraceSink): number {
    const isFollowed = this.predictor.look(facts, candidates)
    const chosen = isFollowed ? this.byHeadroom(facts, candidates, trace) : this.otherwise.pick(facts, candidates, trace)
    if (chosen >= 0) this.predictor.chose(facts, chosen)
    if (!isFollowed) trace?.because('predictions are too few or too far off; lmetric decides')
    return chosen
  }

  observe(event: RoutingEvent): void {
    this.predictor.observe(event)
  }

  report(): Readonly<Record<string, number>> {
    return this.predictor.report()
  }

  private byHeadroom(facts: RequestFacts, candidates: readonly Candidate[], trace: TraceSink | undefined): number {
    const { random, settings } = this.context
    const objectiveMs = facts.sloTtftMs ?? settings.ttftMs ?? TTFT_MS
    const withinMs = objectiveMs * (1 - (settings.margin ?? MARGIN))
    const isKept = this.weigh(candidates.length, withinMs)
    if (trace !== undefined) this.explain(candidates, objectiveMs, trace)
    if (random.next() < (settings.explore ?? EXPLORE)) {
      trace?.because('now and then any node is taken, to keep predictions honest')
      return drawByWeight(candidates, () => true, random)
    }
    trace?.because(
      isKept
        ? `it keeps the objective with the ${settings.headroom ?? 'least'} headroom`
        : 'none keeps the objective; it is predicted soonest',
    )
    return lowestCost(this.costs.of(candidates.length), candidates.length, random)
  }

  /** Nodes that keep the objective by the wish, others never; when there are none, all by their prediction. */
  private weigh(count: number, withinMs: number): boolean {
    const [ttftMs, costs] = [this.predictor.ttftMs.of(count), this.costs.of(count)]
    const sign = this.context.settings.headroom === 'most' ? 1 : -1
    let isKept = false
    for (let position = 0; position < count; position += 1) {
      const predicted = ttftMs[position] ?? 0
      const keeps = predicted <= withinMs
      isKept ||= keeps
      costs[position] = keeps ? sign * predicted : Infinity
    }
    if (!isKept) for (let position = 0; position < count; position += 1) costs[position] = ttftMs[position] ?? 0
    return isKept
  }

  private explain(candidates: readonly Candidate[], objectiveMs: number, trace: TraceSink): void {
    const ttftMs = this.predictor.ttftMs.of(candidates.length)
    const wantsMost = this.context.settings.headroom === 'most'
    trace.unit(wantsMost ? 'ms of headroom' : 'ms of headroom, from the margin up', wantsMost ? 'highest' : 'lowest')
    for (const position of candidates.keys()) trace.cost(position, { headroom: objectiveMs - (ttftMs[position] ?? 0) })
  }
}
