import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../base/index.js'
import { pauseMs, retryAfterMs } from './pause.js'

const limits = { firstMs: 100, longestMs: 2_000 }

describe('the pause before nodes are asked once more', () => {
  it('is anywhere between nothing and its longest, which doubles up to a bound', () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat({ max: 2_000 }), (seed, round) => {
        const ms = pauseMs(seededRandom(seed), round, limits)
        expect(ms).toBeGreaterThanOrEqual(0)
        expect(ms).toBeLessThanOrEqual(Math.min(2_000, 100 * 2 ** Math.min(round, 30)))
      }),
    )
    const random = seededRandom(7)
    const seen = Array.from({ length: 400 }, () => pauseMs(random, 1, limits))
    expect([Math.min(...seen) < 10, Math.max(...seen) > 190]).toEqual([true, true])
  })

  it('is never shorter than the node asked for, as far as the longest pause goes', () => {
    const random = seededRandom(3)
    for (let round = 0; round < 50; round += 1) {
      expect(pauseMs(random, round, limits, 700)).toBeGreaterThanOrEqual(700)
      expect(pauseMs(random, round, limits, 3_600_000)).toBeLessThanOrEqual(4_000)
    }
  })
})

describe('Retry-After', () => {
  it('is seconds or a date, and nothing where it is nonsense or over', () => {
    const nowMs = Date.parse('Fri, 31 Dec 2027 23:59:50 GMT')
    expect(retryAfterMs('3', nowMs)).toBe(3_000)
    expect(retryAfterMs('0.5', nowMs)).toBe(500)
    expect(retryAfterMs('Fri, 31 Dec 2027 23:59:59 GMT', nowMs)).toBe(9_000)
    for (const text of [undefined, '', '0', '-1', 'soon', 'Fri, 31 Dec 1999 23:59:59 GMT', '9'.repeat(400)])
      expect(retryAfterMs(text, nowMs), text).toBeUndefined()
  })
})
