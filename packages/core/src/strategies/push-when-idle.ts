import type { Candidate, RequestFacts, Strategy, StrategyContext, StrategyPlugin, TraceSink } from '../contracts/index.js'
import { CostRow, lowestCost } from './cost-row.js'
import { HeldRequests } from './held-requests.js'
import { numberSetting, settingsSchema } from './settings.js'

interface PushWhenIdleSettings {
  readonly maxWaiting?: number
  readonly maxWaitMs?: number
}

const MAX_WAITING = 0
const MAX_WAIT_MS = 5_000

/**
 * Selective pushing ("SkyWalker", arXiv 2505.24095): a request goes only to a node where no request waits for its first token, and stays in the
 * balancer's line else, where it can still go wherever a place comes free. Among free nodes the one that holds most of the prompt wins, then the one with the fewest
 * requests for its weight. A request that has waited `maxWaitMs` goes to the node with the fewest waiting requests all the same.
 */
export const pushWhenIdle: StrategyPlugin<PushWhenIdleSettings> = {
  name: 'push-when-idle',
  summary:
    'Sends only to nodes where nothing waits for its first token, to the holder of the prompt first; otherwise the request waits here. Good when prompts are long and differ much in length.',
  settings: settingsSchema({
    maxWaiting: numberSetting(
      { from: 0, to: 1_000, or: MAX_WAITING },
      'A node is free with at most so many requests that wait for their first token.',
    ),
    maxWaitMs: numberSetting({ from: 0, to: 600_000, or: MAX_WAIT_MS }, 'After so long in ms a request is sent even if no node is free.'),
  }),
  create: (context) => new PushWhenIdle(context),
}

class PushWhenIdle implements Strategy {
  private readonly held: HeldRequests
  private readonly maxWaiting: number
  private readonly costs = new CostRow()

  constructor(private readonly context: StrategyContext<PushWhenIdleSettings>) {
    const { settings } = context
    this.held = new HeldRequests(settings.maxWaitMs ?? MAX_WAIT_MS)
    this.maxWaiting = settings.maxWaiting ?? MAX_WAITING
  }

  pick(facts: RequestFacts, candidates: readonly Candidate[], trace?: TraceSink): number {
    const nowMs = this.context.clock.nowMs()
    const isAnyFree = this.weigh(facts, candidates)
    if (!isAnyFree && this.held.mayWait(facts.id, nowMs)) {
      if (trace !== undefined) this.explain(facts, candidates, trace, 'no node is free')
      return -1
    }
    this.held.leave(facts.id)
    if (!isAnyFree) this.weighWaiting(candidates)
    const chosen = lowestCost(this.costs.of(candidates.length), candidates.length, this.context.random)
    if (trace !== undefined)
      this.explain(
        facts,
        candidates,
        trace,
        isAnyFree ? 'nothing waits there, and it holds most of the prompt' : 'it has waited long enough',
      )
    return chosen
  }

  /** Free nodes: prompt tokens that must be computed, requests decide between equals. False when none is free. */
  private weigh(facts: RequestFacts, candidates: readonly Candidate[]): boolean {
    const { belief } = this.context
    const costs = this.costs.of(candidates.length)
    const { promisedTokens } = belief.cachedTokens(facts, candidates)
    let isAnyFree = false
    for (let position = 0; position < candidates.length; position += 1) {
      const node = candidates[position]
      if (node === undefined) continue
      const { waiting, inFlight } = belief.of(node)
      const isFree = waiting <= this.maxWaiting
      isAnyFree ||= isFree
      const requests = (inFlight + 1) / node.weight
      // Below 1 whatever the load: it never outweighs a token.
      const tieBreak = requests / (requests + 1)
      costs[position] = isFree ? Math.max(0, facts.promptTokens - (promisedTokens[position] ?? 0)) + tieBreak : Infinity
    }
    return isAnyFree
  }

  private weighWaiting(candidates: readonly Candidate[]): void {
    const costs = this.costs.of(candidates.length)
    for (const [position, node] of candidates.entries()) costs[position] = (this.context.belief.of(node).waiting + 1) / node.weight
  }

  private explain(facts: RequestFacts, candidates: readonly Candidate[], trace: TraceSink, reason: string): void {
    const { belief } = this.context
    const { promisedTokens } = belief.cachedTokens(facts, candidates)
    trace.unit('uncached tokens, where nothing waits', 'lowest')
    for (const [position, node] of candidates.entries()) {
      const { waiting, inFlight } = belief.of(node)
      trace.cost(position, {
        waiting,
        requests: inFlight,
        uncachedTokens: Math.max(0, facts.promptTokens - (promisedTokens[position] ?? 0)),
      })
    }
    trace.because(reason)
  }
}
