import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { likeness } from './likeness.js'

describe('how alike two texts are', () => {
  it('is 1 for the same, 0 for those that share no three words, and the same both ways', () => {
    fc.assert(
      fc.property(fc.lorem({ maxCount: 60 }), fc.lorem({ maxCount: 60 }), (one, other) => {
        expect(likeness(one, one)).toBe(1)
        const both = likeness(one, other)
        expect(both).toBe(likeness(other, one))
        expect(both).toBeGreaterThanOrEqual(0)
        expect(both).toBeLessThanOrEqual(1)
      }),
    )
    expect(likeness('the light is on', 'nobody was at home then')).toBe(0)
    expect([likeness('', ''), likeness('', 'a')]).toEqual([1, 0])
  })

  it('falls with each word that differs, and takes no notice of case and blanks', () => {
    const text = 'One two three four five six seven eight nine ten'
    expect(likeness(text, 'one  two THREE four five\nsix seven eight nine ten')).toBe(1)
    expect(likeness(text, text.replace('five', '5'))).toBeCloseTo(5 / 8)
    expect(likeness(text, 'One two three')).toBeCloseTo(2 / 9)
  })
})
