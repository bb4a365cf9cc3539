import type { BeliefView, Candidate, JsonSchema, RequestFacts, Strategy, StrategyContext, TraceSink } from '../contracts/index.js'
import { HashRing } from './hash-ring.js'
import type { KeyPlace } from './key-place.js'
import { LoadBound } from './load-bound.js'
import { lowest, requestLoad } from './load.js'
import { Rendezvous } from './rendezvous.js'
import { numberSetting } from './settings.js'

/** Settings of all strategies that give each key a node. */
export interface KeyedSettings {
  readonly hash?: 'ring' | 'rendezvous'
  readonly bound?: number
}

const defaultBound = 1.25

export const keyedProperties: Readonly<Record<string, JsonSchema>> = {
  hash: {
    enum: ['ring', 'rendezvous'],
    default: 'ring',
    description:
      'How a key finds its node: on a ring of 160 points for each node, or by the lowest draw of all nodes. A ring is quicker with hundreds of nodes, draws share more evenly.',
  },
  bound: numberSetting(
    { from: 1.01, to: 1000, or: defaultBound },
    "A node with so many times its fair share of the pool's requests is passed over for the key's next one.",
  ),
}

/** A name for what is to stay together, as 32 bits, and in words for people. */
export interface KeyOf {
  (facts: RequestFacts): number | undefined
}

/** Gives equal keys the same node while it is below its bound; what has no key goes where the fewest requests are. */
export class KeyedStrategy implements Strategy {
  private readonly place: KeyPlace
  private readonly bound: LoadBound
  private readonly belief: BeliefView

  constructor(
    private readonly context: StrategyContext<KeyedSettings>,
    private readonly keyOf: KeyOf,
    /** "its conversation": what the key names. */
    private readonly what: string,
  ) {
    this.belief = context.belief
    this.place = context.settings.hash === 'rendezvous' ? new Rendezvous() : new HashRing()
    this.bound = new LoadBound(context.belief, context.settings.bound ?? defaultBound)
  }

  pick(facts: RequestFacts, candidates: readonly Candidate[], trace?: TraceSink): number {
    const key = this.keyOf(facts)
    if (key === undefined) return this.pickWithoutKey(facts, candidates, trace)
    this.bound.measure(candidates)
    const chosen = this.place.find(key, candidates, this.bound)
    if (trace !== undefined) this.explain({ key, chosen }, candidates, trace)
    return chosen
  }

  private pickWithoutKey(facts: RequestFacts, candidates: readonly Candidate[], trace?: TraceSink): number {
    const load = requestLoad(this.belief)
    if (trace !== undefined) {
      trace.unit('requests', 'lowest')
      for (const [position, node] of candidates.entries()) trace.cost(position, { requests: load(facts, node) })
      trace.because(`nothing names ${this.what}, and it has the fewest requests`)
    }
    return lowest(candidates, (node) => load(facts, node), this.context.random)
  }

  private explain(
    { key, chosen }: { readonly key: number; readonly chosen: number },
    candidates: readonly Candidate[],
    trace: TraceSink,
  ): void {
    const distances = this.place.distances(key, candidates)
    const own = distances.indexOf(Math.min(...distances))
    trace.unit('distance', 'lowest')
    for (const [position, distance] of distances.entries()) trace.cost(position, { distance })
    trace.because(own === chosen ? `${this.what} belongs there` : `the node of ${this.what} has more than its share, and it is the next`)
  }
}
