import type { BeliefView, Candidate, NodeBelief, PrefixMatch, RequestFacts } from '@plimsoll/core/routing'
import type { Fleet } from './fleet.js'
import { PromptFacts } from './prompt-facts.js'

/** The belief as it would be if engines told at once what their caches hold. */
export class ExactCacheView implements BeliefView {
  private readonly views: (NodeBelief | undefined)[] = []
  private match = { presentTokens: new Float64Array(16), promisedTokens: new Float64Array(16) }

  constructor(
    private readonly belief: BeliefView,
    private readonly fleet: Fleet,
  ) {}

  of(node: { readonly index: number }): NodeBelief {
    return (this.views[node.index] ??= toldByEvents(this.belief.of(node)))
  }

  cachedTokens(facts: RequestFacts, candidates: readonly Candidate[]): PrefixMatch {
    // What is promised, only a mirror of what was sent can tell.
    const mirrored = this.belief.cachedTokens(facts, candidates).promisedTokens
    const size = candidates.length
    if (this.match.presentTokens.length < size)
      this.match = { presentTokens: new Float64Array(2 * size), promisedTokens: new Float64Array(2 * size) }
    const { presentTokens, promisedTokens } = this.match
    for (const [position, candidate] of candidates.entries()) {
      const present = facts instanceof PromptFacts ? this.fleet.cachedTokens(this.fleet.placeOf(candidate), facts) : 0
      presentTokens[position] = present
      promisedTokens[position] = Math.max(present, mirrored[position] ?? 0)
    }
    return this.match
  }
}

/** A live view of the same belief that says so. */
function toldByEvents(belief: NodeBelief): NodeBelief {
  return Object.create(belief, { cacheSource: { value: 'events' } }) as NodeBelief
}
