import type { RandomSource } from '../../base/index.js'
import type { Candidate } from '../../contracts/index.js'
import { drawByWeight } from '../weighted-draw.js'

/** One position by the scores; those below 0 are out of the race. At least one is in it. */
export type Picker = (scores: Float64Array, candidates: readonly Candidate[], random: RandomSource) => number

/** Sums of the same parts in another order differ by less. */
const SAME = 1e-9

export const pickers: Readonly<Record<'max' | 'weighted-random' | 'first-of-best', Picker>> = {
  max(scores, candidates, random) {
    const best = bestOf(scores, candidates.length)
    return drawByWeight(candidates, (position) => (scores[position] ?? -1) >= best - SAME, random)
  },
  'first-of-best'(scores, candidates) {
    const best = bestOf(scores, candidates.length)
    return Math.max(
      0,
      scores.subarray(0, candidates.length).findIndex((score) => score >= best - SAME),
    )
  },
  /** Efraimidis and Spirakis' A-Res for one draw: the largest of U^(1/score). */
  'weighted-random'(scores, candidates, random) {
    if (bestOf(scores, candidates.length) <= 0) return drawByWeight(candidates, (position) => scores[position] === 0, random)
    let [drawn, largest] = [0, -1]
    for (let position = 0; position < candidates.length; position += 1) {
      const score = (scores[position] ?? 0) * (candidates[position]?.weight ?? 1)
      const key = score > 0 ? random.next() ** (1 / score) : -1
      if (key > largest) [drawn, largest] = [position, key]
    }
    return drawn
  },
}

function bestOf(scores: Float64Array, count: number): number {
  let best = -Infinity
  for (let position = 0; position < count; position += 1) best = Math.max(best, scores[position] ?? -1)
  return best
}
