import { describe, expect, it } from 'vitest'
import { RecentPairs } from './recent-pairs.js'

function put(pairs: RecentPairs, count: number, ratio: number): void {
  for (let set = 0; set < count; set += 1) pairs.add({ side: 'canary', one: Math.log(100 * ratio), others: [Math.log(100)] })
}

describe('the last pairs', () => {
  it('tell the ratio of the last 256 alone, however many came before and however often it was read', () => {
    const pairs = new RecentPairs()
    for (const before of [1, 100, 256, 256 * 64, 40_000]) {
      for (let set = 0; set < before; set += 1) {
        put(pairs, 1, 1)
        if (set % 4 === 0) expect(pairs.ratio).toBeGreaterThan(0)
      }
      put(pairs, 256, 3)
      expect(pairs.ratio).toBeCloseTo(3, 10)
      expect(pairs.canary).toBeCloseTo(300, 10)
      put(pairs, 256, 1)
      expect(pairs.ratio).toBeCloseTo(1, 10)
    }
  })

  it('are at most four sets behind', () => {
    const pairs = new RecentPairs()
    put(pairs, 100_000, 1)
    expect([pairs.ratio, pairs.error]).toEqual([1, 0])
    put(pairs, 128, 2)
    expect(pairs.ratio).toBeLessThanOrEqual(2)
    put(pairs, 5, 2)
    expect(pairs.ratio).toBeCloseTo(2, 10)
  })

  it('go on after a restart where they were', () => {
    const [first, second] = [new RecentPairs(), new RecentPairs()]
    put(first, 1_000, 1)
    put(first, 100, 2)
    second.takeUp(first.kept())
    expect(first.kept().differences).toHaveLength(256)
    for (const pairs of [first, second]) put(pairs, 60, 2)
    expect(second.ratio).toBeCloseTo(2, 3)
    expect(second.ratio).toBeCloseTo(first.ratio ?? 0, 3)
    expect(second.error).toBeCloseTo(first.error, 3)
  })

  it('tell nothing where there are none', () => {
    const pairs = new RecentPairs()
    expect([pairs.ratio, pairs.canary, pairs.error]).toEqual([null, null, Infinity])
  })
})
