import { describe, expect, it } from 'vitest'
import { cleanLoad } from './clean-load.js'

describe('what a plugin tells of its engine’s load', () => {
  it('is kept where it can be true', () => {
    const facts = { running: 3, waiting: 0, kvUsedRatio: 0.5, adapters: ['a'], asleep: false, contextTokens: 8192 }
    expect(cleanLoad(facts)).toEqual(facts)
  })

  it('is left out where it cannot', () => {
    const nonsense = {
      running: -1,
      waiting: Number.NaN,
      slots: '4',
      kvUsedRatio: 1.2,
      cachedTokens: Infinity,
      adapters: [1, 'b'],
      asleep: 'no',
      more: 1,
    }
    expect(cleanLoad(nonsense)).toEqual({ adapters: ['b'] })
    for (const nothing of [undefined, null, 7, 'x', []]) expect(cleanLoad(nothing)).toEqual({})
  })
})
