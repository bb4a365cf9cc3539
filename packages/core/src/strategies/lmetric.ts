import type { BeliefView, Candidate, RequestFacts, Strategy, StrategyContext, StrategyPlugin, TraceSink } from '../contracts/index.js'
import { cachedBy, cacheSetting, holdsShare, type CacheSetting, type HeldPrompt } from './cache-share.js'
import { CostRow, lowestCost } from './cost-row.js'
import { settingsSchema } from './settings.js'

interface LmetricSettings {
  readonly cache?: CacheSetting
}

/**
 * Work ahead times work beside: (prompt tokens still to be computed there, with those of this request that its cache does not hold) x (requests in
 * flight, with this one), for the node's weight; the lowest wins ("LMetric", arXiv 2603.15202). Follows the cache while the holder is free and leaves it
 * when it is busy, without a threshold to set.
 */
export const lmetric: StrategyPlugin<LmetricSettings> = {
  name: 'lmetric',
  summary:
    'Prompt tokens ahead times requests in flight, the lowest. Follows the prefix cache until the node that holds it is busy. Good for chats and agents; nothing to tune.',
  settings: settingsSchema({ cache: cacheSetting }),
  create: (context) => new Lmetric(context),
}

class Lmetric implements Strategy {
  private readonly costs = new CostRow()

  constructor(private readonly context: StrategyContext<LmetricSettings>) {}

  pick(facts: RequestFacts, candidates: readonly Candidate[], trace?: TraceSink): number {
    const { belief, random, settings } = this.context
    const cached = cachedBy(belief.cachedTokens(facts, candidates), settings.cache)
    const costs = this.costs.of(candidates.length)
    for (let position = 0; position < candidates.length; position += 1) {
      const node = candidates[position]
      if (node !== undefined) costs[position] = scoreOf(belief, node, facts, cached[position] ?? 0)
    }
    const chosen = lowestCost(costs, candidates.length, random)
    if (trace !== undefined) this.explain({ facts, cached, count: candidates.length, chosen }, candidates, trace)
    return chosen
  }

  private explain(held: HeldPrompt, candidates: readonly Candidate[], trace: TraceSink): void {
    trace.unit('tokens x requests', 'lowest')
    for (const [position, node] of candidates.entries()) {
      const { inFlight, prefillTokens } = this.context.belief.of(node)
      const batch = (inFlight + 1) / node.weight
      trace.cost(position, { wait: prefillTokens * batch, prefill: prefillOf(held.facts, held.cached[position] ?? 0) * batch })
    }
    trace.because(holdsShare(held) ?? 'it has the least prefill times batch')
  }
}

function scoreOf(belief: BeliefView, node: Candidate, facts: RequestFacts, cachedTokens: number): number {
  const { inFlight, prefillTokens } = belief.of(node)
  return ((prefillTokens + prefillOf(facts, cachedTokens)) * (inFlight + 1)) / node.weight
}

/** One token at least is always computed. */
export function prefillOf(facts: RequestFacts, cachedTokens: number): number {
  return Math.max(1, facts.promptTokens - cachedTokens)
}
