import type { Candidate, Strategy, StrategyPlugin } from '../contracts/index.js'
import { noSettings } from './settings.js'

/**
 * Smooth weighted round robin, as nginx has it (commit 52327e0627f49dbda1e8db695e63a4b0af4448b1): each pick gives every
 * candidate its weight in credit, takes the richest, and charges it the sum of all weights. Whole weights share exactly
 * over one cycle, and a heavy node's turns are spread instead of bunched.
 */
export const roundRobin: StrategyPlugin = {
  name: 'round-robin',
  summary: 'Takes turns, in proportion to weight. Knows nothing of load; good when requests are alike and nodes are not shared.',
  settings: noSettings,
  create: () => new SmoothRoundRobin(),
}

/** Credit that absent nodes may keep: a node left out of one retry must not lose its place. */
const sparedAbsentNodes = 16

class SmoothRoundRobin implements Strategy {
  private readonly credits = new Map<string, number>()

  pick(_facts: unknown, candidates: readonly Candidate[]): number {
    let richest = 0
    let richestCredit = -Infinity
    let totalWeight = 0
    for (const [position, candidate] of candidates.entries()) {
      const credit = (this.credits.get(candidate.id) ?? 0) + candidate.weight
      this.credits.set(candidate.id, credit)
      totalWeight += candidate.weight
      if (credit <= richestCredit) continue
      richest = position
      richestCredit = credit
    }
    const chosen = candidates[richest]
    if (chosen !== undefined) this.credits.set(chosen.id, richestCredit - totalWeight)
    if (this.credits.size > 2 * candidates.length + sparedAbsentNodes) this.forgetAbsent(candidates)
    return richest
  }

  /** How many nodes are remembered; a leak check for tests. */
  get remembered(): number {
    return this.credits.size
  }

  private forgetAbsent(candidates: readonly Candidate[]): void {
    const present = new Set(candidates.map((candidate) => candidate.id))
    for (const id of this.credits.keys()) if (!present.has(id)) this.credits.delete(id)
  }
}
