import type { BeliefView, Candidate, RequestFacts, RoutingEvent } from '../../contracts/index.js'
import { CostRow } from '../cost-row.js'
import { NodeTable } from '../node-table.js'
import { FEATURES, writeFeatures } from './node-features.js'
import { OnlineRegression } from './online-regression.js'
import { SentRequests, type SentRequest } from './sent-requests.js'

export interface PredictorOptions {
  /** How far a weight may wander from one sample to the next, as a share of itself. */
  readonly drift: number
  /** Samples of all nodes from which on there are predictions. */
  readonly minSamples: number
  /** Mean relative error over which predictions are not followed. */
  readonly maxError: number
}

/** Weight of one more answer in the error. */
const ERROR_LEARNING = 0.02
/** Predictions are followed again once the error is so far below the limit: at the limit itself it would go to and fro. */
const GOOD_AGAIN = 0.8

/** Of one node, once all nodes together have taught enough to begin with. */
interface NodeModel {
  ttft: OnlineRegression | undefined
  tpot: OnlineRegression | undefined
}

/**
 * Predicts the time to the first token and between tokens for each candidate, from what the belief knows of it. Learns from each answer: one model for
 * all nodes, and one for each that begins as a copy of that. It goes on predicting and checking itself while nobody follows it.
 */
export class LatencyPredictor {
  /** Of the last look, by position. */
  readonly ttftMs = new CostRow()
  readonly tpotMs = new CostRow()
  private readonly features = new CostRow()
  private readonly nodes = new NodeTable((): NodeModel => ({ ttft: undefined, tpot: undefined }))
  private readonly pool: { readonly ttft: OnlineRegression; readonly tpot: OnlineRegression }
  private readonly sent = new SentRequests()
  private ttftError = 0
  private tpotError = 0
  private checked = 0
  private isGood = false

  constructor(
    private readonly belief: BeliefView,
    private readonly options: PredictorOptions,
  ) {
    const begin = (): OnlineRegression => new OnlineRegression(FEATURES, options.drift)
    this.pool = { ttft: begin(), tpot: begin() }
  }

  /** Predicts for all candidates. False: the predictions are not to be followed. */
  look(facts: RequestFacts, candidates: readonly Candidate[]): boolean {
    const count = candidates.length
    const { promisedTokens } = this.belief.cachedTokens(facts, candidates)
    const features = this.features.of(count * FEATURES)
    const [ttftMs, tpotMs] = [this.ttftMs.of(count), this.tpotMs.of(count)]
    for (let position = 0; position < count; position += 1) {
      const node = candidates[position]
      if (node === undefined) continue
      const at = position * FEATURES
      writeFeatures(features, at, this.belief.of(node), facts, promisedTokens[position] ?? 0)
      const own = this.nodes.of(node)
      ttftMs[position] = (own.ttft ?? this.pool.ttft).predict(features, at)
      tpotMs[position] = (own.tpot ?? this.pool.tpot).predict(features, at)
    }
    return this.isGood
  }

  /** The request goes to that position of the last look. */
  chose(facts: RequestFacts, position: number): void {
    const sent = this.sent.add(facts.id)
    const at = position * FEATURES
    const features = this.features.of(at + FEATURES)
    for (let i = 0; i < FEATURES; i += 1) sent.features[i] = features[at + i] ?? 0
    sent.ttftMs = this.ttftMs.of(position + 1)[position] ?? 0
    sent.tpotMs = this.tpotMs.of(position + 1)[position] ?? 0
  }

  observe(event: RoutingEvent): void {
    if (event.kind === 'node-gone') return this.nodes.forget(event)
    const sent = event.kind === 'dispatched' ? undefined : this.sent.of(event.facts.id)
    if (sent === undefined) return
    const model = this.nodes.known(event.node)
    if (event.kind === 'first-token') this.learnTtft(sent, model, event.ttftMs)
    else if (event.kind === 'settled') {
      this.sent.end(event.facts.id)
      const { outcome, ttftMs, totalMs, outputTokens } = event
      // No first token came, and it took longer than predicted: at least that much is known.
      if (outcome === 'failed' && ttftMs === undefined && totalMs > sent.ttftMs) this.learnTtft(sent, model, totalMs)
      if (outcome === 'answered' && ttftMs !== undefined && outputTokens > 1)
        this.learnTpot(sent, model, (totalMs - ttftMs) / (outputTokens - 1))
    }
  }

  /** Mean relative error of late, and how many first tokens it was checked by. */
  report(): { readonly ttftError: number; readonly tpotError: number; readonly checked: number; readonly isFollowed: number } {
    return { ttftError: this.ttftError, tpotError: this.tpotError, checked: this.checked, isFollowed: this.isGood ? 1 : 0 }
  }

  private learnTtft(sent: SentRequest, model: NodeModel | undefined, ttftMs: number): void {
    const { pool, options } = this
    if (pool.ttft.samples >= options.minSamples) {
      this.checked += 1
      this.ttftError = moved(this.ttftError, relativeError(sent.ttftMs, ttftMs), this.checked)
      this.isGood = this.checked >= options.minSamples && this.ttftError <= options.maxError * (this.isGood ? 1 : GOOD_AGAIN)
      if (model !== undefined) model.ttft ??= pool.ttft.fork()
    }
    model?.ttft?.learn(sent.features, ttftMs)
    pool.ttft.learn(sent.features, ttftMs)
  }

  private learnTpot(sent: SentRequest, model: NodeModel | undefined, tpotMs: number): void {
    const { pool, options } = this
    if (pool.tpot.samples >= options.minSamples) {
      this.tpotError = moved(this.tpotError, relativeError(sent.tpotMs, tpotMs), this.checked)
      if (model !== undefined) model.tpot ??= pool.tpot.fork()
    }
    model?.tpot?.learn(sent.features, tpotMs)
    pool.tpot.learn(sent.features, tpotMs)
  }
}

function relativeError(predicted: number, value: number): number {
  return Math.abs(predicted - value) / Math.max(1, value)
}

/** The mean at first, then a moving one. */
function moved(mean: number, value: number, count: number): number {
  return mean + Math.max(ERROR_LEARNING, 1 / Math.max(1, count)) * (value - mean)
}
