import type { RandomSource } from '../base/index.js'
import type { Candidate, RequestFacts, Strategy, StrategyContext, StrategyPlugin, TraceSink } from '../contracts/index.js'
import { cachedBy, cacheSetting, holdsShare, type CacheSetting, type HeldPrompt } from './cache-share.js'
import { CostRow, lowestCost } from './cost-row.js'
import { numberSetting, settingsSchema } from './settings.js'

interface KvCostSettings {
  readonly prefillScale?: number
  readonly temperature?: number
  readonly blockTokens?: number
  readonly cache?: CacheSetting
}

const byDefault = { prefillScale: 1, temperature: 0, blockTokens: 16 }

/**
 * Blocks to compute and blocks to hold: prefillScale x (prefill ahead + the request's own) + (what the node's answers keep in memory + the request's
 * own), in blocks, for the weight; the lowest wins. So does the router of NVIDIA Dynamo (`kv` mode), with its temperature: over 0, costs are scaled to 0..1
 * and drawn with a chance of exp(-cost / temperature).
 */
export const kvCost: StrategyPlugin<KvCostSettings> = {
  name: 'kv-cost',
  summary:
    'Blocks of prompt still to compute and blocks held in memory, the lowest sum. Good when nodes run short of memory; knows no speed and no time.',
  settings: settingsSchema({
    prefillScale: numberSetting({ from: 0, to: 100, or: byDefault.prefillScale }, 'Weight of a block to compute against a block to hold.'),
    temperature: numberSetting(
      { from: 0, to: 10, or: byDefault.temperature },
      'Over 0: costs that are near to each other share by chance, the more the higher.',
    ),
    blockTokens: numberSetting({ from: 1, to: 4096, or: byDefault.blockTokens }, 'Tokens in a block.'),
    cache: cacheSetting,
  }),
  create: (context) => new KvCost(context),
}

class KvCost implements Strategy {
  private readonly settings: KvCostSettings & typeof byDefault
  private readonly costs = new CostRow()

  constructor(private readonly context: StrategyContext<KvCostSettings>) {
    this.settings = { ...byDefault, ...context.settings }
  }

  pick(facts: RequestFacts, candidates: readonly Candidate[], trace?: TraceSink): number {
    const { belief, random } = this.context
    const cached = cachedBy(belief.cachedTokens(facts, candidates), this.settings.cache)
    const count = candidates.length
    const costs = this.costs.of(count)
    for (let position = 0; position < count; position += 1) {
      const node = candidates[position]
      if (node === undefined) continue
      const own = Math.max(1, facts.promptTokens - (cached[position] ?? 0))
      costs[position] = this.prefillCost(node, own) + this.memoryCost(node, own)
    }
    const { temperature } = this.settings
    const chosen = temperature > 0 ? drawnByCost(costs, { count, temperature, random }) : lowestCost(costs, count, random)
    if (trace !== undefined) this.explain({ facts, cached, count, chosen }, candidates, trace)
    return chosen
  }

  private explain(held: HeldPrompt, candidates: readonly Candidate[], trace: TraceSink): void {
    trace.unit('blocks', 'lowest')
    for (const [position, node] of candidates.entries()) {
      const own = Math.max(1, held.facts.promptTokens - (held.cached[position] ?? 0))
      trace.cost(position, { prefill: this.prefillCost(node, own), memory: this.memoryCost(node, own) })
    }
    trace.because(holdsShare(held) ?? 'it has the fewest blocks to compute and to hold')
  }

  private prefillCost(node: Candidate, own: number): number {
    const { prefillScale, blockTokens } = this.settings
    return (prefillScale * (this.context.belief.of(node).prefillTokens + own)) / blockTokens / node.weight
  }

  private memoryCost(node: Candidate, own: number): number {
    const { kvTokens, prefillTokens } = this.context.belief.of(node)
    return (kvTokens + prefillTokens + own) / this.settings.blockTokens / node.weight
  }
}

interface Draw {
  readonly count: number
  readonly temperature: number
  readonly random: RandomSource
}

/** The cheapest has a chance of 1 against the others' less, before all are made to sum to 1. */
function drawnByCost(costs: Float64Array, { count, temperature, random }: Draw): number {
  let [least, most] = [Infinity, -Infinity]
  for (let position = 0; position < count; position += 1) {
    least = Math.min(least, costs[position] ?? 0)
    most = Math.max(most, costs[position] ?? 0)
  }
  const spread = Math.max(most - least, Number.MIN_VALUE)
  let [chosen, total] = [0, 0]
  for (let position = 0; position < count; position += 1) {
    const chance = Math.exp(-((costs[position] ?? 0) - least) / spread / temperature)
    total += chance
    if (random.next() * total < chance) chosen = position
  }
  return chosen
}
