import type { Candidate, RequestFacts, Strategy, StrategyContext, StrategyPlugin, TraceSink } from '../contracts/index.js'
import { holdsShare } from './cache-share.js'
import { prefillOf } from './lmetric.js'
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

/** How far a choice may go from LMetric's: 1 = only what LMetric would choose, Infinity = anywhere. Asked once for each pick; `saturation` is 0..1. */
export type Reach = (candidates: readonly Candidate[], saturation: number) => number

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

  /** LMetric's product of each candidate; returns the largest within reach of the least. */
  private mostProduct(facts: RequestFacts, candidates: readonly Candidate[], cached: Float64Array): number {
    const reach = this.reach(candidates, saturationOf(this.scene, this.numbers))
    const products = this.products.of(candidates.length)
    if (reach === Infinity) return Infinity
    const [prefills, inFlights] = [this.prefillTokens.of(candidates.length), this.inFlight.of(candidates.length)]
    let least = Infinity
    for (let position = 0; position < candidates.length; position += 1) {
      const node = candidates[position]
      if (node === undefined) continue
      const pace = this.context.belief.of(node).slowness / node.weight
      const prefillTokens = (prefills[position] ?? 0) + prefillOf(facts, cached[position] ?? 0)
      const product = prefillTokens * ((inFlights[position] ?? 0) + 1) * pace
      products[position] = product
      if (product < least) least = product
    }
    return least * reach
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
    trace.because(holdsShare({ facts, cached, count: candidates.length, chosen }) ?? reasonAgainstNext(compared, own))
    const beyond = candidates.length - compared.length
    if (beyond > 0)
      trace.because(
        `${beyond} of ${candidates.length} have far more prefill ahead times requests beside, this one with them, and were not compared`,
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
