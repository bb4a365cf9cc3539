import { FakeClock } from '../base/index.js'
import type { Candidate, RequestFacts, Strategy, TraceSink } from '../contracts/index.js'
import { beliefOf, factsOf, strategyOf, type StatedNode } from './scene.test.fixture.js'

/** What becomes of one request. */
export interface Fate {
  readonly outcome?: 'answered' | 'failed' | 'cancelled'
  readonly ttftMs?: number
  /** Default: the time to the first token and 10 ms for each further one. */
  readonly totalMs?: number
  readonly outputTokens?: number
}

/** A strategy with the belief, the clock and the events around it, so that a test can say what happened in its words. */
export class Life {
  readonly clock = new FakeClock()
  readonly nodes: StatedNode[]
  readonly strategy: Strategy

  constructor(
    name: string,
    { nodes = [], settings = {}, seed = 1 }: { nodes?: readonly StatedNode[]; settings?: object; seed?: number } = {},
  ) {
    this.nodes = [...nodes]
    this.strategy = strategyOf(name, { belief: beliefOf(this.nodes), settings, seed, clock: this.clock })
  }

  /** Changes what is believed of a node. */
  state(index: number, more: StatedNode): void {
    this.nodes[index] = { ...this.nodes[index], ...more }
  }

  pick(candidates: readonly Candidate[], facts: Partial<RequestFacts> = {}, trace?: TraceSink): number {
    return this.strategy.pick(factsOf(facts), candidates, trace)
  }

  /** How often each candidate is chosen. */
  shares(candidates: readonly Candidate[], picks: number, facts: Partial<RequestFacts> = {}): number[] {
    const counts = candidates.map(() => 0)
    for (let at = 0; at < picks; at += 1) {
      const position = this.pick(candidates, facts)
      counts[position] = (counts[position] ?? 0) + 1
    }
    return counts.map((count) => count / picks)
  }

  /** A whole request at one node, as the strategy hears of it. Takes no time. */
  serve(node: Candidate, fate: Fate = {}, more: Partial<RequestFacts> = {}): void {
    const { outcome = 'answered', outputTokens = 50, ttftMs = outcome === 'failed' ? undefined : 50 } = fate
    const facts = factsOf(more)
    const atMs = this.clock.nowMs()
    const { cachedTokens: believedCachedTokens = 0 } = this.nodes[node.index] ?? {}
    this.strategy.observe?.({ kind: 'dispatched', facts, node, atMs })
    if (ttftMs !== undefined) this.strategy.observe?.({ kind: 'first-token', facts, node, atMs, ttftMs, believedCachedTokens })
    const totalMs = fate.totalMs ?? (ttftMs ?? 0) + 10 * (outputTokens - 1)
    const { promptTokens } = facts
    this.strategy.observe?.({
      kind: 'settled',
      facts,
      node,
      atMs,
      outcome,
      promptTokens,
      outputTokens,
      cachedTokens: undefined,
      ttftMs,
      totalMs,
    })
  }

  /** The node has left. */
  leave({ id, index }: Candidate): void {
    this.strategy.observe?.({ kind: 'node-gone', id, index })
  }
}
