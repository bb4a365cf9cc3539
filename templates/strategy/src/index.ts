import type { Candidate, RequestFacts, Strategy, StrategyContext, StrategyPlugin, TraceSink } from '@plimsoll/core/plugin'

interface Settings {
  readonly limit: number
}

/** What Plimsoll asks for by name in package.json: `"plimsoll": { "strategies": { "__NAME__": "./dist/index.js" } }`. */
export const strategy: StrategyPlugin<Settings> = {
  name: '__NAME__',
  summary: 'Fills one node up to a limit before it uses the next, so that the others stay idle. An example: replace it.',
  settings: {
    type: 'object',
    additionalProperties: false,
    properties: {
      limit: {
        type: 'integer',
        minimum: 1,
        maximum: 10_000,
        default: 8,
        description: 'Requests in flight up to which a node is filled, for a weight of 1.',
      },
    },
  },
  create: (context) => new FillUp(context),
}

/** The fullest node that is below its limit; where all have reached it, the emptiest. */
class FillUp implements Strategy {
  private readonly context: StrategyContext<Settings>

  constructor(context: StrategyContext<Settings>) {
    this.context = context
  }

  pick(_facts: RequestFacts, candidates: readonly Candidate[], trace?: TraceSink): number {
    let [fullest, emptiest] = [-1, 0]
    for (const [position, node] of candidates.entries()) {
      const load = this.loadOf(node)
      if (load < this.context.settings.limit && (fullest < 0 || load > this.loadOf(candidates[fullest]))) fullest = position
      if (load < this.loadOf(candidates[emptiest])) emptiest = position
    }
    if (trace !== undefined) this.explain(candidates, fullest >= 0, trace)
    return fullest < 0 ? emptiest : fullest
  }

  private explain(candidates: readonly Candidate[], isRoom: boolean, trace: TraceSink): void {
    trace.unit('requests', isRoom ? 'highest' : 'lowest')
    for (const [position, node] of candidates.entries()) trace.cost(position, { requests: this.loadOf(node) })
    trace.because(isRoom ? 'it is the fullest that has room' : 'all are full, and it is the emptiest')
  }

  /** Requests in flight for the node's weight, as the balancer counts them. */
  private loadOf(node: Candidate | undefined): number {
    return node === undefined ? Infinity : this.context.belief.of(node).inFlight / node.weight
  }
}
