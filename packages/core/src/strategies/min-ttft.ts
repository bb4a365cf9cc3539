import type { Candidate, RequestFacts, Strategy, StrategyContext, StrategyPlugin, TraceSink } from '../contracts/index.js'
import { cachedBy, cacheSetting, holdsShare, type CacheSetting, type HeldPrompt } from './cache-share.js'
import { CostRow, lowestCost } from './cost-row.js'
import { engineCostProperties, type EngineCostSettings } from './engine-costs.js'
import { marginalNumbers } from './marginal-settings.js'
import { reasonAgainstNext } from './marginal-reason.js'
import { MarginalTerms, type MarginalPlace, type MarginalScene } from './marginal-terms.js'
import { numberSetting, settingsSchema } from './settings.js'

interface MinTtftSettings extends EngineCostSettings {
  readonly cache?: CacheSetting
  readonly maxBatchedTokens?: number
}

/**
 * The node that is likely to give the first token soonest: the prefill that waits there and the request's own, in ms by the model of steps in
 * `engine-costs.ts`. Looks at this request alone, not at what it does to others: its mean over all requests is a little worse for that.
 */
export const minTtft: StrategyPlugin<MinTtftSettings> = {
  name: 'min-ttft',
  summary:
    'The node that is likely to give the first token soonest: prefill that waits there, and its own. Good when only the first token counts; blind to what a long answer does to others.',
  settings: settingsSchema({
    ...engineCostProperties,
    maxBatchedTokens: numberSetting({ from: 16, to: 1e6, or: 2048 }, 'Tokens that the engine computes in one step.'),
    cache: cacheSetting,
  }),
  create: (context) => new MinTtft(context),
}

class MinTtft implements Strategy {
  private readonly terms: MarginalTerms
  private readonly costs = new CostRow()
  private readonly scene: MarginalScene = { promptTokens: 0, outputTokens: 0, nowMs: 0, meanPrefillTokens: 0, meanInFlight: 0 }
  private readonly place: MarginalPlace = { cachedTokens: 0, weight: 1, inFlight: 0, prefillTokens: 0 }

  constructor(private readonly context: StrategyContext<MinTtftSettings>) {
    this.terms = new MarginalTerms(marginalNumbers(context.settings))
  }

  pick(facts: RequestFacts, candidates: readonly Candidate[], trace?: TraceSink): number {
    const { belief, random, clock, settings } = this.context
    const cached = cachedBy(belief.cachedTokens(facts, candidates), settings.cache)
    const costs = this.costs.of(candidates.length)
    this.scene.promptTokens = facts.promptTokens
    this.scene.nowMs = clock.nowMs()
    for (let position = 0; position < candidates.length; position += 1) {
      this.weigh(candidates[position], cached[position])
      costs[position] = this.terms.wait + this.terms.prefill
    }
    const chosen = lowestCost(costs, candidates.length, random)
    if (trace !== undefined) this.explain({ facts, cached, count: candidates.length, chosen }, candidates, trace)
    return chosen
  }

  private explain(held: HeldPrompt, candidates: readonly Candidate[], trace: TraceSink): void {
    const rows = candidates.map((node, position) => {
      this.weigh(node, held.cached[position])
      return { wait: this.terms.wait, prefill: this.terms.prefill }
    })
    for (const [position, row] of rows.entries()) trace.cost(position, row)
    trace.because(holdsShare(held) ?? reasonAgainstNext(rows, held.chosen))
  }

  private weigh(node: Candidate | undefined, cachedTokens = 0): void {
    if (node === undefined) return
    const belief = this.context.belief.of(node)
    const { place } = this
    place.cachedTokens = cachedTokens
    place.weight = node.weight
    place.inFlight = belief.inFlight
    place.prefillTokens = belief.prefillTokens
    this.terms.weigh(this.scene, belief, place)
  }
}
