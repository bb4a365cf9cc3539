import type { RandomSource } from '../base/index.js'
import type { BeliefView, Candidate, RequestFacts } from '../contracts/index.js'

/**
 * How loaded a node would be if it took this request: one comparable number, lower is better. Pickers know nothing else.
 * The request itself is counted, so that an idle weak node does not look better than an idle strong one.
 */
export type LoadMeasure = (facts: RequestFacts, node: Candidate) => number

/** Requests in flight with this one, per unit of weight. */
export function requestLoad(belief: BeliefView): LoadMeasure {
  return (_facts, node) => (belief.of(node).inFlight + 1) / node.weight
}

/** Tokens in flight (prompt and expected answer) with this request's, per unit of weight. */
export function tokenLoad(belief: BeliefView): LoadMeasure {
  return (facts, node) => (belief.of(node).tokensInFlight + Math.max(1, facts.promptTokens + facts.outputTokens)) / node.weight
}

/** Index of the least loaded candidate; equals share by chance, each with the same probability, or the first would take every request of a quiet pool. */
export function lowest(candidates: readonly Candidate[], loadOf: (node: Candidate) => number, random: RandomSource): number {
  let best = 0
  let bestLoad = Infinity
  let equals = 0
  for (const [position, candidate] of candidates.entries()) {
    const load = loadOf(candidate)
    if (load > bestLoad) continue
    equals = load === bestLoad ? equals + 1 : 1
    bestLoad = load
    if (equals === 1 || random.next() * equals < 1) best = position
  }
  return best
}
