import type { Candidate, RequestFacts, RoutingEvent, Strategy, StrategyContext, StrategyPlugin, TraceSink } from '../../contracts/index.js'
import { CostRow, lowestCost } from '../cost-row.js'
import { lmetric } from '../lmetric.js'
import { numberSetting, settingsSchema } from '../settings.js'
import { LatencyPredictor } from './latency-predictor.js'
import { predictorOptions, predictorSettings, type PredictorSettings } from './predictor-settings.js'

interface PredictedLatencySettings extends PredictorSettings {
  readonly answerShare?: number
}

const ANSWER_SHARE = 0.2

/**
 * The node whose first token, and to a part whose answer, is predicted soonest by a model of each node that learns while it serves (the idea of llm-d's
 * predicted-latency scheduling; here recursive least squares in the balancer itself). It needs no knowledge of engines or cards, and tells how wrong it
 * is; while it is too wrong, or has seen too little, `lmetric` decides.
 */
export const predictedLatency: StrategyPlugin<PredictedLatencySettings> = {
  name: 'predicted-latency',
  summary:
    'The lowest predicted time to the first token, with a part of the answer, by a model of each node that learns as it goes. Good for unlike nodes of unknown speed; lmetric decides while it errs.',
  settings: settingsSchema({
    ...predictorSettings,
    answerShare: numberSetting(
      { from: 0, to: 1, or: ANSWER_SHARE },
      'How much of the predicted time for the answer counts beside the first token.',
    ),
  }),
  create: (context) => new PredictedLatency(context),
}

class PredictedLatency implements Strategy {
  private readonly predictor: LatencyPredictor
  private readonly otherwise: Strategy
  private readonly costs = new CostRow()
  private readonly answerShare: number

  constructor(private readonly context: StrategyContext<PredictedLatencySettings>) {
    this.predictor = new LatencyPredictor(context.belief, predictorOptions(context.settings))
    this.otherwise = lmetric.create({ ...context, settings: {} })
    this.answerShare = context.settings.answerShare ?? ANSWER_SHARE
  }

  pick(facts: RequestFacts, candidates: readonly Candidate[], trace?: TraceSink): number {
    const isFollowed = this.predictor.look(facts, candidates)
    const chosen = isFollowed ? this.lowest(facts, candidates, trace) : this.otherwise.pick(facts, candidates, trace)
    if (chosen >= 0) this.predictor.chose(facts, chosen)
    if (!isFollowed) trace?.because(this.whyNotFollowed())
    return chosen
  }

  observe(event: RoutingEvent): void {
    this.predictor.observe(event)
  }

  report(): Readonly<Record<string, number>> {
    return this.predictor.report()
  }

  private lowest({ outputTokens }: RequestFacts, { length }: readonly Candidate[], trace: TraceSink | undefined): number {
    const [ttftMs, tpotMs, costs] = [this.predictor.ttftMs.of(length), this.predictor.tpotMs.of(length), this.costs.of(length)]
    const answerTokens = this.answerShare * outputTokens
    for (let position = 0; position < length; position += 1) {
      const [firstToken = 0, token = 0] = [ttftMs[position], tpotMs[position]]
      costs[position] = firstToken + answerTokens * token
      trace?.cost(position, { firstToken, answer: answerTokens * token })
    }
    trace?.because('its first token and answer are predicted soonest')
    return lowestCost(costs, length, this.context.random)
  }

  private whyNotFollowed(): string {
    const { checked, ttftError } = this.predictor.report()
    return checked === 0
      ? 'too little was seen to predict; lmetric decides'
      : `predictions are ${Math.round(100 * ttftError)} % off; lmetric decides`
  }
}
