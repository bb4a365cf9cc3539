import type { BeliefView, Candidate } from '../contracts/index.js'

/**
 * How many requests a node may have before it is passed over: so many times its fair share, by weight, of all requests in flight with this one ("Consistent
 * Hashing with Bounded Loads", Mirrokni, Thorup and Zadimoghaddam, 2016). Over 1, at least one node is always below it.
 */
export class LoadBound {
  private perWeight = 0

  constructor(
    private readonly belief: BeliefView,
    /** Over 1. */
    private readonly factor: number,
  ) {}

  /** Counts what the candidates have now; `isReached` refers to it. */
  measure(candidates: readonly Candidate[]): void {
    let [requests, weights] = [1, 0]
    for (let position = 0; position < candidates.length; position += 1) {
      const node = candidates[position]
      if (node === undefined) continue
      requests += this.belief.of(node).inFlight
      weights += node.weight
    }
    this.perWeight = (this.factor * requests) / weights
  }

  isReached(node: Candidate): boolean {
    return this.belief.of(node).inFlight >= Math.ceil(this.perWeight * node.weight)
  }
}
