import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { continueText } from './continuation.js'
import { tokenise } from './tokenise.js'
import { opening } from './words.js'

const task = fc.record({ seed: fc.integer({ min: 0, max: 1000 }), context: fc.string({ unit: 'grapheme' }) })

const text = (seed: number, context: string) => continueText({ seed, context, begun: '' })

describe('the simulated text', () => {
  it('opens by saying what it is and takes between 40 and 260 tokens', () => {
    for (let seed = 0; seed < 300; seed++) {
      const answer = text(seed, 'hello')
      expect(answer.startsWith(`${opening} `)).toBe(true)
      expect(tokenise(answer).ids.length).toBeGreaterThanOrEqual(40)
      expect(tokenise(answer).ids.length).toBeLessThanOrEqual(260)
    }
  })

  it('depends on the seed and on the conversation, and on nothing else', () => {
    expect(text(1, 'a')).toBe(text(1, 'a'))
    expect(text(1, 'a')).not.toBe(text(2, 'a'))
    expect(text(1, 'a')).not.toBe(text(1, 'b'))
  })

  it('goes on from any cut as if it had never been cut, and from a second cut too', () => {
    fc.assert(
      fc.property(task, fc.nat(), fc.nat(), (base, first, second) => {
        const whole = continueText({ ...base, begun: '' })
        const cut = first % (whole.length + 1)
        const later = cut + (second % (whole.length - cut + 1))
        expect(whole.slice(0, cut) + continueText({ ...base, begun: whole.slice(0, cut) })).toBe(whole)
        expect(whole.slice(0, later) + continueText({ ...base, begun: whole.slice(0, later) })).toBe(whole)
      }),
    )
  })

  it('does so after a client’s own beginning as well', () => {
    const beginning = fc.oneof(
      fc.string({ unit: 'grapheme', minLength: 1 }),
      fc.constantFrom('T', 'This is', `${opening} and`, 'Once ', 'Th This'),
    )
    fc.assert(
      fc.property(task, beginning, fc.nat(), (base, begun, pick) => {
        const whole = begun + continueText({ ...base, begun })
        const cut = begun.length + (pick % (whole.length - begun.length + 1))
        expect(whole.slice(0, cut) + continueText({ ...base, begun: whole.slice(0, cut) })).toBe(whole)
      }),
    )
  })

  it('goes past its natural end when asked to, and can be cut there too', () => {
    const base = { seed: 3, context: 'x' }
    const natural = continueText({ ...base, begun: '' })
    const long = continueText({ ...base, begun: '', atLeastTokens: 2000 })
    expect(long.startsWith(natural)).toBe(true)
    expect(tokenise(long).ids.length).toBeGreaterThanOrEqual(2000)
    const cut = Math.floor(long.length / 2)
    const rest = continueText({ ...base, begun: long.slice(0, cut), atLeastTokens: 1500 })
    expect((long.slice(0, cut) + rest).startsWith(long)).toBe(true)
    expect(continueText({ ...base, begun: long.slice(0, cut) })).toBe('')
  })
})

describe('the tokeniser', () => {
  it('covers the text and keeps its tokens when the text is cut at the end of one', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), fc.nat(), (text, pick) => {
        const { ids, ends } = tokenise(text)
        expect(ends.at(-1) ?? 0).toBe(text.length)
        const count = pick % (ids.length + 1)
        expect(tokenise(text.slice(0, ends[count - 1] ?? 0)).ids).toEqual(ids.slice(0, count))
      }),
    )
  })

  it('never cuts a character in two', () => {
    const text = 'a🚢b🚢🚢 ⚓ naïve 灯台'
    for (const end of tokenise(text).ends) expect(text.slice(0, end).isWellFormed()).toBe(true)
  })
})
