import { describe, expect, it } from 'vitest'
import { factsOf, nodesOf, strategyOf } from './scene.test.fixture.js'

function sharesOf(name: string, weights: readonly number[], seed = 11): number[] {
  const strategy = strategyOf(name, { seed })
  const counts = weights.map(() => 0)
  for (let request = 0; request < 6000; request += 1) counts[strategy.pick(factsOf(), nodesOf(weights))]! += 1 / 6000
  return counts
}

describe('random', () => {
  it('gives each node the same share, whatever its weight', () => {
    for (const share of sharesOf('random', [1, 5, 1, 1])) expect(Math.abs(share - 0.25)).toBeLessThan(0.03)
  })
})

describe('weighted-random', () => {
  it('gives each node a share in proportion to its weight', () => {
    const shares = sharesOf('weighted-random', [1, 5, 0.5, 3.5])
    for (const [index, weight] of [1, 5, 0.5, 3.5].entries()) expect(Math.abs(shares[index]! - weight / 10)).toBeLessThan(0.03)
  })

  it('draws the same nodes for the same seed', () => {
    expect(sharesOf('weighted-random', [1, 2, 3])).toEqual(sharesOf('weighted-random', [1, 2, 3]))
    expect(sharesOf('weighted-random', [1, 2, 3])).not.toEqual(sharesOf('weighted-random', [1, 2, 3], 12))
  })
})
