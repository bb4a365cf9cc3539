import type { Candidate, RequestFacts, RoutingEvent, Strategy, StrategyContext, StrategyPlugin, TraceSink } from '../contracts/index.js'
import { CostRow, lowestCost } from './cost-row.js'
import { NodeTable } from './node-table.js'
import { PrefixHistory } from './prefix-history.js'
import { numberSetting, settingsSchema } from './settings.js'

interface CacheAwareSettings {
  readonly threshold?: number
  readonly balanceAbs?: number
  readonly balanceRel?: number
  readonly maxTreeTokens?: number
}

const byDefault = { threshold: 0.5, balanceAbs: 32, balanceRel: 1.1, maxTreeTokens: 16_777_216 }

/**
 * The policy of that name in the routers that come with engines, kept as they have it: while requests in flight are uneven, the shortest queue; else the node
 * that was sent the longest beginning of this prompt, if that is over a share of it; else the node that was sent the least text. Its flaws are kept too:
 * under load it gives up its cache hits, and a cold prompt goes to the smallest history, however busy that node is.
 */
export const cacheAware: StrategyPlugin<CacheAwareSettings> = {
  name: 'cache-aware',
  summary:
    'Switches between two modes: the node that was sent the most of this prompt, or the shortest queue once queues are uneven. What other routers do; here to compare with.',
  settings: settingsSchema({
    threshold: numberSetting(
      { from: 0, to: 1, or: byDefault.threshold },
      'Share of the prompt that a node must have been sent before to be chosen for it.',
    ),
    balanceAbs: numberSetting(
      { from: 0, to: 1e6, or: byDefault.balanceAbs },
      'Queues are uneven when the longest has so many requests more than the shortest,',
    ),
    balanceRel: numberSetting({ from: 1, to: 1000, or: byDefault.balanceRel }, 'and so many times as many.'),
    maxTreeTokens: numberSetting(
      { from: 1000, to: 1e9, or: byDefault.maxTreeTokens },
      'Tokens of prompts that are remembered for each node.',
    ),
  }),
  create: (context) => new CacheAware(context),
}

class CacheAware implements Strategy {
  private readonly settings: Required<CacheAwareSettings>
  private readonly histories: NodeTable<PrefixHistory>
  private readonly costs = new CostRow()

  constructor(private readonly context: StrategyContext<CacheAwareSettings>) {
    this.settings = { ...byDefault, ...context.settings }
    this.histories = new NodeTable(() => new PrefixHistory(this.settings.maxTreeTokens))
  }

  pick(facts: RequestFacts, candidates: readonly Candidate[], trace?: TraceSink): number {
    const mode = this.modeFor(facts, candidates)
    const costs = this.costs.of(candidates.length)
    const chosen = mode === 'match' ? firstLowest(costs, candidates.length) : lowestCost(costs, candidates.length, this.context.random)
    if (trace !== undefined) this.explain(mode, candidates, trace)
    return chosen
  }

  observe(event: RoutingEvent): void {
    if (event.kind === 'dispatched') this.histories.of(event.node).add(event.facts)
    else if (event.kind === 'node-gone') this.histories.forget(event)
  }

  /** Fills the costs for the first mode that applies. */
  private modeFor(facts: RequestFacts, candidates: readonly Candidate[]): Mode {
    if (this.queuesAreUneven(candidates)) return 'queue'
    const costs = this.costs.of(candidates.length)
    let matched = 0
    for (let position = 0; position < candidates.length; position += 1) {
      const node = candidates[position]
      const tokens = node === undefined ? 0 : this.histories.of(node).matchedTokens(facts)
      costs[position] = -tokens
      if (tokens > matched) matched = tokens
    }
    if (matched > this.settings.threshold * facts.promptTokens) return 'match'
    for (let position = 0; position < candidates.length; position += 1) {
      const node = candidates[position]
      if (node !== undefined) costs[position] = (1 + this.histories.of(node).heldTokens) / node.weight
    }
    return 'tree'
  }

  /** Fills the costs with the queues. */
  private queuesAreUneven(candidates: readonly Candidate[]): boolean {
    const costs = this.costs.of(candidates.length)
    let [longest, shortest] = [0, Infinity]
    for (let position = 0; position < candidates.length; position += 1) {
      const node = candidates[position]
      if (node === undefined) continue
      const { inFlight } = this.context.belief.of(node)
      costs[position] = (inFlight + 1) / node.weight
      longest = Math.max(longest, inFlight / node.weight)
      shortest = Math.min(shortest, inFlight / node.weight)
    }
    return longest - shortest > this.settings.balanceAbs && longest > shortest * this.settings.balanceRel
  }

  private explain(mode: Mode, candidates: readonly Candidate[], trace: TraceSink): void {
    const { unit, wins, term, reason } = words[mode]
    const costs = this.costs.of(candidates.length)
    trace.unit(unit, wins)
    for (const position of candidates.keys()) trace.cost(position, { [term]: Math.abs(costs[position] ?? 0) })
    trace.because(reason)
  }
}

/** Equals go to the first, not by chance: of several nodes that were sent one beginning these routers see one, and so their queues grow uneven. */
function firstLowest(costs: Float64Array, count: number): number {
  let best = 0
  for (let position = 1; position < count; position += 1) if ((costs[position] ?? 0) < (costs[best] ?? 0)) best = position
  return best
}

type Mode = keyof typeof words

const words = {
  queue: { unit: 'requests', wins: 'lowest', term: 'queue', reason: 'queues are uneven, and its is the shortest' },
  match: { unit: 'tokens', wins: 'highest', term: 'matched', reason: 'it was sent the longest beginning of this prompt' },
  tree: { unit: 'tokens', wins: 'lowest', term: 'sent', reason: 'no node was sent enough of this prompt, and it was sent the least' },
} as const
