import type { RandomSource } from '../base/index.js'

/** One number for each candidate, in room that is kept between picks: a pick allocates nothing. */
export class CostRow {
  private cells = new Float64Array(16)

  /** Room for so many; what it held before is meaningless. */
  of(count: number): Float64Array {
    if (this.cells.length < count) this.cells = new Float64Array(2 * count)
    return this.cells
  }
}

/** Position of the lowest of the first `count` costs; equals share by chance, each with the same probability. A cost that is no number loses to all others. */
export function lowestCost(costs: Float64Array, count: number, random: RandomSource): number {
  let best = 0
  let bestCost = Infinity
  let equals = 0
  for (let position = 0; position < count; position += 1) {
    const cost = costs[position] ?? Infinity
    if (!(cost <= bestCost)) continue
    equals = cost === bestCost ? equals + 1 : 1
    bestCost = cost
    if (equals === 1 || random.next() * equals < 1) best = position
  }
  return best
}
