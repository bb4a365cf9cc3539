import type { Candidate } from '../contracts/index.js'
import type { RandomSource } from '../base/index.js'

/** Position of one of the candidates that may be drawn, each with a chance in proportion to its weight; -1 when none may. Nothing is listed or allocated. */
export function drawByWeight(candidates: readonly Candidate[], may: (position: number) => boolean, random: RandomSource): number {
  let drawn = -1
  let total = 0
  for (let position = 0; position < candidates.length; position += 1) {
    if (!may(position)) continue
    const weight = candidates[position]?.weight ?? 1
    total += weight
    if (drawn < 0 || random.next() * total < weight) drawn = position
  }
  return drawn
}
