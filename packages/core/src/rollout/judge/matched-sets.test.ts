import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../base/index.js'
import { MatchedSets, type MatchedSet } from './matched-sets.js'

function sets(caliper = 0, withPast = false): { readonly made: MatchedSet[]; readonly alone: number[]; readonly of: MatchedSets } {
  const made: MatchedSet[] = []
  const alone: number[] = []
  return { made, alone, of: new MatchedSets({ caliper, withPast, onSet: (set) => made.push(set), onAlone: (value) => alone.push(value) }) }
}

const plain = (value: number) => ({ value, size: 0 })

describe('matched sets', () => {
  it('put a value of the canary together with those of the baseline that came since', () => {
    const { made, of } = sets()
    of.add('canary', plain(1), 1)
    of.add('baseline', plain(10), 1)
    for (const value of [11, 12, 13, 14]) of.add('baseline', plain(value), 1)
    of.add('canary', plain(2), 1)
    expect(made).toEqual([
      { side: 'baseline', one: 10, others: [1], isPast: false },
      { side: 'canary', one: 2, others: [14, 13], isPast: false },
    ])
  })

  it('use no value twice, whatever comes in whatever order', () => {
    const random = seededRandom(4)
    const { made, of } = sets(0.2)
    for (let value = 0; value < 5_000; value += 1) {
      of.add(random.next() < 0.3 ? 'canary' : 'baseline', { value, size: random.next() * 3 }, Math.floor(value / 1_000))
    }
    const used = made.flatMap(({ one, others }) => [one, ...others])
    expect(new Set(used).size).toBe(used.length)
    expect(used.length).toBeGreaterThan(3_000)
  })

  it('compare only what is alike', () => {
    const { made, of } = sets(0.2)
    of.add('canary', { value: 1, size: 5 }, 1)
    of.add('baseline', { value: 10, size: 6 }, 1)
    expect(made).toEqual([])
    of.add('baseline', { value: 11, size: 5.1 }, 1)
    expect(made).toEqual([{ side: 'baseline', one: 11, others: [1], isPast: false }])
  })

  it('do not compare what began in different steps, until the old revision answers no more', () => {
    const { made, alone, of } = sets()
    for (let value = 100; value < 103; value += 1) of.add('baseline', plain(value), 0)
    for (let value = 0; value < 8; value += 1) of.add('canary', plain(value), 1)
    expect(made).toEqual([])
    for (let value = 8; value < 13; value += 1) of.add('canary', plain(value), 1)
    expect(made.map(({ one, others, isPast }) => [one, others, isPast])).toEqual([
      [8, [102], true],
      [9, [101], true],
      [10, [100], true],
    ])
    expect(alone).toEqual([11, 12])
  })

  it('compare what ends late with what began when it did', () => {
    const { made, of } = sets()
    of.add('baseline', plain(10), 1)
    of.add('baseline', plain(20), 2)
    of.add('canary', plain(1), 1)
    expect(made).toEqual([{ side: 'canary', one: 1, others: [10], isPast: false }])
  })

  it('forget steps that are long over, but for the baseline', () => {
    const { made, of } = sets()
    of.add('baseline', plain(10), 1)
    of.add('canary', plain(1), 4)
    of.add('canary', plain(2), 1)
    for (let value = 3; value < 11; value += 1) of.add('canary', plain(value), 4)
    expect(made).toEqual([{ side: 'canary', one: 10, others: [10], isPast: true }])
  })

  it('get a little of what the baseline did before, where they are told to and little of it stands beside', () => {
    const { made, of } = sets(0, true)
    for (let value = 0; value < 300; value += 1) of.add('baseline', plain(value), 0)
    of.add('canary', plain(1_000), 1)
    of.add('baseline', plain(2_000), 1)
    of.add('canary', plain(1_001), 1)
    for (let value = 0; value < 20; value += 1) of.add('baseline', plain(3_000 + value), 1)
    of.add('canary', plain(1_002), 1)
    expect(made.map(({ one, others, isPast }) => [one, others, isPast])).toEqual([
      [1_000, [299, 298], true],
      [1_001, [2_000, 297, 296], false],
      [1_002, Array.from({ length: 10 }, (_, index) => 3_019 - index), false],
    ])
  })

  it('keep the last thousand of the baseline over a restart', () => {
    const { of } = sets()
    for (let value = 0; value < 1_500; value += 1) of.add('baseline', { value, size: 0.123456 }, value < 700 ? 0 : 1)
    const kept = of.kept()
    expect([kept.values.length, kept.values[0], kept.values.at(-1), kept.sizes[0]]).toEqual([1_000, 500, 1_499, 0.1235])
    const next = sets(0.2, true)
    next.of.takeUp(kept)
    next.of.add('canary', { value: 7, size: 0.1235 }, 0)
    expect(next.made).toEqual([{ side: 'canary', one: 7, others: [1_499, 1_498, 1_497, 1_496], isPast: true }])
  })
})
