import type { Candidate, NodeBelief, PrefixMatch, RequestFacts, RoutingEvent } from '../../contracts/index.js'

/** What scorers look at: one request and the candidates, as they are now. */
export interface ScoredScene {
  readonly facts: RequestFacts
  readonly candidates: readonly Candidate[]
  /** By position. */
  readonly beliefs: readonly NodeBelief[]
  readonly match: PrefixMatch
  readonly nowMs: number
  /** What a poll told before then is not believed. */
  readonly oldestPollMs: number
}

/** One view of how well each candidate suits: 0 not at all, 1 perfectly. */
export interface Scorer {
  /** Writes a score for each position; `scores` has room for all. */
  score(scene: ScoredScene, scores: Float64Array): void
  observe?(event: RoutingEvent): void
}

/** A number of each candidate. */
type Measure = (belief: NodeBelief, node: Candidate, scene: ScoredScene) => number

/** Scores each candidate for itself. */
export function each(measure: (belief: NodeBelief, node: Candidate, scene: ScoredScene, position: number) => number): Scorer {
  return {
    score(scene, scores) {
      const { candidates, beliefs } = scene
      for (let position = 0; position < candidates.length; position += 1) {
        const [node, belief] = [candidates[position], beliefs[position]]
        scores[position] = node === undefined || belief === undefined ? 0 : clamp(measure(belief, node, scene, position))
      }
    },
  }
}

/** (most - own) / (most - least): the least loaded scores 1, the most loaded 0; all 1 when they are equal. */
export function fewestBest(measure: Measure): Scorer {
  const raw = unclamped(measure)
  return {
    score(scene, scores) {
      const count = scene.candidates.length
      raw(scene, scores)
      let [least, most] = [Infinity, -Infinity]
      for (let position = 0; position < count; position += 1) {
        least = Math.min(least, scores[position] ?? 0)
        most = Math.max(most, scores[position] ?? 0)
      }
      for (let position = 0; position < count; position += 1)
        scores[position] = most === least ? 1 : (most - (scores[position] ?? 0)) / (most - least)
    },
  }
}

/** (most - own) / most: what has nothing to do scores 1, the most loaded 0. */
export function idleBest(measure: Measure): Scorer {
  const raw = unclamped(measure)
  return {
    score(scene, scores) {
      const count = scene.candidates.length
      raw(scene, scores)
      let most = 0
      for (let position = 0; position < count; position += 1) most = Math.max(most, scores[position] ?? 0)
      for (let position = 0; position < count; position += 1) scores[position] = most === 0 ? 1 : (most - (scores[position] ?? 0)) / most
    },
  }
}

function unclamped(measure: Measure): (scene: ScoredScene, values: Float64Array) => void {
  return (scene, values) => {
    const { candidates, beliefs } = scene
    for (let position = 0; position < candidates.length; position += 1) {
      const [node, belief] = [candidates[position], beliefs[position]]
      values[position] = node === undefined || belief === undefined ? 0 : measure(belief, node, scene)
    }
  }
}

function clamp(score: number): number {
  return score >= 0 ? Math.min(1, score) : 0
}
