import type { RoutingEvent } from '../../contracts/index.js'
import type { ScoredScene, Scorer } from './scorer.js'

/** Sessions that are remembered; the one that was quiet longest is forgotten first. */
const MOST_SESSIONS = 10_000

/** Scores 1 for the node that served the session last. A session that has none yet, and a request without one, scores 0 everywhere. */
export class SessionHomes implements Scorer {
  private readonly homes = new Map<string, string>()

  score({ facts, candidates }: ScoredScene, scores: Float64Array): void {
    const home = facts.session === undefined ? undefined : this.homes.get(facts.session)
    for (let position = 0; position < candidates.length; position += 1)
      scores[position] = home !== undefined && candidates[position]?.id === home ? 1 : 0
  }

  observe(event: RoutingEvent): void {
    if (event.kind !== 'dispatched' || event.facts.session === undefined) return
    this.homes.delete(event.facts.session)
    this.homes.set(event.facts.session, event.node.id)
    if (this.homes.size <= MOST_SESSIONS) return
    for (const oldest of this.homes.keys()) return void this.homes.delete(oldest)
  }

  /** A leak check for tests. */
  get size(): number {
    return this.homes.size
  }
}
