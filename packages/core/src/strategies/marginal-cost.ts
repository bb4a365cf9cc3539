import type { Candidate, RequestFacts, Strategy, StrategyContext, StrategyPlugin, TraceSink } from '../contracts/index.js'
import { holdsShare } from './cache-share.js'
import { prefillOf } from './lmetric.js'
import { CommonReading } from './common-reading.js'
import { CostRow, lowestCost } from './cost-row.js'
import { marginalNumbers, marginalSettings, type MarginalNumbers, type MarginalSettings } from './marginal-settings.js'
import { reasonAgainstNext } from './marginal-reason.js'
import { MarginalTerms, saturationOf, type MarginalPlace, type MarginalScene } from './marginal-terms.js'

/**
 * The node on which the request costs the whole pool the least: its own wait, prefill and answer, the delay of everyone beside it, and the prefill that
 * another node's cache would have spared, all in ms by a model of how engines spend time (`marginal-terms.ts`). The lowest wins.
 */
export const marginalCost: StrategyPlugin<MarginalSettings> = {
  name: 'marginal-cost',
  summary:
    'The node where the request costs the whole pool the least time: its own latency, the delay it puts on others, and prefill that a cache would spare. Good for unequal nodes and mean latency.',
  settings: marginalSettings,
  create: (context) => new MarginalCost(context),
}

/** Two of the pool's states, each 0..1. */
export interface PoolState {
  /** How long the queues are. */
  readonly saturation: number
  /** How far answers read the same few texts. */
  readonly common: number
}

/** How far a choice may go from the least product: 1 = only that one, Infinity = anywhere. Asked once for each pick. */
export type Reach = (candidates: readonly Candidate[], state: PoolState) => number

/** Where answers read the same few texts, the time of an answer counts so many times as much as prefill in the product. */
const ANSWER_WEIGHT = 3
/** Settings may say that prefill takes no time at all. */
const MIN_TOKEN_MS = 1e-4

const anywhere: Reach = () => Infinity

export class MarginalCost implements Strategy {
  private readonly numbers: MarginalNumbers
  private readonly terms: MarginalTerms
  private readonly costs = new CostRow()
  private readonly cached = new CostRow()
  private readonly scene: MarginalScene = { promptTokens: 0, outputTokens: 0, nowMs: 0, meanPrefillTokens: 0, meanInFlight: 0 }
  private readonly place: MarginalPlace = { cachedTokens: 0, weight: 1, inFlight: 0, prefillTokens: 0 }
  private readonly inFlight = new CostRow()
  private readonly prefillTokens = new CostRow()
  private readonly products = new CostRow()
  private readonly reading = new CommonReading()
  private readonly state = { saturation: 0, common: 0 }

  constructor(
    private readonly context: StrategyContext<MarginalSettings>,
    private readonly reach: Reach = anywhere,
  ) {
    this.numbers = marginalNumbers(context.settings)
    this.terms = new MarginalTerms(this.numbers)
  }

  pick(facts: RequestFacts, candidates: readonly Candidate[], trace?: TraceSink): number {
    const count = candidates.length
    const costs = this.costs.of(count)
    const cached = this.cachedTokens(facts, candidates)
    this.look(facts, candidates)
    const most = this.mostProduct(facts, candidates, cached)
    const products = this.products.of(count)
    for (let position = 0; position < count; position += 1) {
      if ((products[position] ?? 0) > most) {
        costs[position] = Infinity
        continue
      }
      this.weigh(candidates[position], position, cached[position])
      costs[position] = this.terms.sum
    }
    const chosen = lowestCost(costs, count, this.context.random)
    if (trace !== undefined) this.explain({ facts, candidates, cached, chosen, most }, trace)
    return chosen
  }

  /** A promised block counts for as much as the settings say. */
  private cachedTokens(facts: RequestFacts, candidates: readonly Candidate[]): Float64Array {
    const { presentTokens, promisedTokens } = this.context.belief.cachedTokens(facts, candidates)
    const { promised } = this.numbers
    if (promised === 1) return promisedTokens
    if (promised === 0) return presentTokens
    const cached = this.cached.of(candidates.length)
    for (let position = 0; position < candidates.length; position += 1) {
      const present = presentTokens[position] ?? 0
      cached[position] = present + promised * ((promisedTokens[position] ?? 0) - present)
    }
    return cached
  }

  private look(facts: RequestFacts, candidates: readonly Candidate[]): void {
    const { scene } = this
    const prefills = this.prefillTokens.of(candidates.length)
    const inFlights = this.inFlight.of(candidates.length)
    let prefillTokens = 0
    let inFlight = 0
    for (let position = 0; position < candidates.length; position += 1) {
      const node = candidates[position]
      if (node === undefined) continue
      const belief = this.context.belief.of(node)
      prefillTokens += prefills[position] = belief.prefillTokens
      inFlight += inFlights[position] = belief.inFlight
    }
    scene.promptTokens = facts.promptTokens
    scene.outputTokens = facts.outputTokens
    scene.nowMs = this.context.clock.nowMs()
    scene.meanPrefillTokens = prefillTokens / candidates.length
    scene.meanInFlight = inFlight / candidates.length
  }

  /** Work ahead times requests beside, of each candidate; returns the largest within reach of the least. LMetric's, where answers have little in common. */
  private mostProduct(facts: RequestFacts, candidates: readonly Candidate[], cached: Float64Array): number {
    const { state } = this
    state.saturation = saturationOf(this.scene, this.numbers)
    // While queues are long a lost cache costs everybody: then the list stays as long as it is.
    state.common = (1 - state.saturation) * this.reading.of(this.context.belief, candidates, this.scene.nowMs)
    const reach = this.reach(candidates, state)
    const products = this.products.of(candidates.length)
    if (reach === Infinity) return Infinity
    const answerTokens = state.common > 0 ? ANSWER_WEIGHT * state.common * this.answerAsPrefill(facts) : 0
    const [prefills, inFlights] = [this.prefillTokens.of(candidates.length), this.inFlight.of(candidates.length)]
    let least = Infinity
    for (let position = 0; position < candidates.length; position += 1) {
      const node = candidates[position]
      if (node === undefined) continue
      const pace = this.context.belief.of(node).slowness / node.weight
      const tokens = (prefills[position] ?? 0) + prefillOf(facts, cached[position] ?? 0) + answerTokens
      const product = tokens * ((inFlights[position] ?? 0) + 1) * pace
      products[position] = product
      if (product < least) least = product
    }
    return least * reach
  }

  /** Prompt tokens that a node computes in the time that the answer adds to its steps. */
  private answerAsPrefill({ promptTokens, outputTokens }: RequestFacts): number {
    const { prefillTokenMs, sequenceMs, kvTokenMs } = this.numbers.costs
    return (outputTokens * (sequenceMs + kvTokenMs * (promptTokens + outputTokens / 2))) / Math.max(MIN_TOKEN_MS, prefillTokenMs)
  }

  private weigh(node: Candidate | undefined, position: number, cachedTokens = 0): void {
    if (node === undefined) return
    const { place } = this
    place.cachedTokens = cachedTokens
    place.weight = node.weight
    place.inFlight = this.inFlight.of(position + 1)[position] ?? 0
    place.prefillTokens = this.prefillTokens.of(position + 1)[position] ?? 0
    this.terms.weigh(this.scene, this.context.belief.of(node), place)
  }

  private explain(decision: Decision, trace: TraceSink): void {
    const { facts, candidates, cached, chosen, most } = decision
    const products = this.products.of(candidates.length)
    const compared: Readonly<Record<string, number>>[] = []
    let own = 0
    for (const [position, node] of candidates.entries()) {
      this.weigh(node, position, cached[position])
      const terms = termsOf(this.terms)
      trace.cost(position, terms)
      if ((products[position] ?? 0) > most) continue
      if (position === chosen) own = compared.length
      compared.push(terms)
    }
    const beyond = candidates.length - compared.length
    const ahead = `${this.state.common > 0 ? 'work' : 'prefill'} ahead times requests beside`
    const ownReason = compared.length === 1 && beyond > 0 ? `it has the least ${ahead}` : reasonAgainstNext(compared, own)
    trace.because(holdsShare({ facts, cached, count: candidates.length, chosen }) ?? ownReason)
    if (this.state.common > 0) trace.because('answers read much in common there, so that their number decides more than what caches hold')
    if (beyond > 0)
      trace.because(
        `${beyond} of ${candidates.length} have ${this.state.common > 0 ? '' : 'far '}more ${ahead}, this one with them, and were not compared`,
      )
  }
}

/** Rare terms are left out where they are nothing. */
function termsOf({ wait, prefill, answer, batch, lost, others, full, silent }: MarginalTerms): Record<string, number> {
  return { wait, prefill, answer, batch, lost, others, ...(full > 0 && { full }), ...(silent > 0 && { silent }) }
}

interface Decision {
  readonly facts: RequestFacts
  readonly candidates: readonly Candidate[]
  readonly cached: Float64Array
  readonly chosen: number
  readonly most: number
}
