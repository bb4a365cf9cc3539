import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isRepeating, openingOf } from './repeats.js'

const word = fc.string({ unit: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz'.split('')), minLength: 2, maxLength: 9 })
const words = (minLength: number, maxLength: number) => fc.array(word, { minLength, maxLength })
const times = (count: number, line: (at: number) => string): string => Array.from({ length: count }, (_, at) => line(at)).join('\n')

describe('a text that says the same over and over', () => {
  it('is seen for what it is, whatever stood before and wherever it was cut off', () => {
    fc.assert(
      fc.property(words(0, 200), words(1, 20), fc.integer({ min: 10, max: 80 }), fc.nat(200), (before, phrase, count, cut) => {
        const loop = `${phrase.join(' ')} `.repeat(count)
        const text = `${before.join(' ')} ${loop}`
        fc.pre(loop.length - cut > 7 * phrase.join(' ').length && loop.length - cut > 100)
        expect(isRepeating(text.slice(0, text.length - cut))).toBe(true)
      }),
    )
  })

  it.each([
    ['exclamation marks', '!'.repeat(400)],
    ['blank lines', `{"a": 1,${'\n'.repeat(600)}`],
    ['a language without blanks', '我不知道。'.repeat(40)],
    ['letters', 'a'.repeat(200)],
    ['a line', times(12, () => '- Check the configuration file.')],
    ['few words in changing order', times(60, (at) => ['the light the sea', 'the sea the light', 'the sea the sea'][at % 3] ?? '')],
  ])('is found also where it is %s', (_, text) => {
    expect(isRepeating(text)).toBe(true)
  })
})

describe('a text that goes on', () => {
  it('is none, of any random words', () => {
    fc.assert(
      fc.property(words(0, 600), (all) => {
        fc.pre(all.length < 40 || new Set(all).size > all.length / 2)
        expect(isRepeating(all.join(' '))).toBe(false)
      }),
    )
  })

  it.each([
    ['a numbered list', times(200, (at) => `${at + 1}. Tighten screw number ${at + 1} by a quarter turn.`)],
    ['a table', `| n | ok | why |\n|---|---|---|\n${times(150, (at) => `| ${at} | yes | none |`)}`],
    ['a table of one answer, with what it means', `${times(80, (at) => `| host-${at} | up | up | up | up |`)}\n\nAll hosts are up.`],
    ['an array of one number', `[${'0, '.repeat(500)}0]`],
    ['an array of one object', JSON.stringify(Array.from({ length: 200 }, () => ({ ok: true, note: 'nothing to say' })))],
    ['code', times(60, (at) => `  if (value === ${at}) {\n    return names[${at}]\n  }`)],
    ['the end of a nest', `${times(12, (at) => `${'  '.repeat(at)}{`)}\n${times(12, (at) => `${'  '.repeat(11 - at)}}`)}`],
    ['a rule at the end', `Thanks for reading.\n${'-'.repeat(120)}`],
    ['a chorus', times(4, () => 'Row, row, row your boat, gently down the stream')],
    ['a short laugh', 'ha '.repeat(12)],
    ['nothing', ''],
    ['a matrix', times(20, (row) => Array.from({ length: 20 }, (_, at) => (at === row ? 1 : 0)).join(' '))],
  ])('is none where it is %s', (_, text) => {
    expect(isRepeating(text)).toBe(false)
  })

  it('costs little however it is made', () => {
    const text = `${'ab'.repeat(100_000)}c`
    const sinceMs = performance.now()
    for (let turn = 0; turn < 20; turn += 1) isRepeating(text)
    expect((performance.now() - sinceMs) / 20).toBeLessThan(20)
  })
})

describe('the beginning of a text', () => {
  it('is a loop once the same words were said often enough, and may be one before', () => {
    fc.assert(
      fc.property(words(1, 3), fc.integer({ min: 2, max: 60 }), (phrase, count) => {
        const unit = `${phrase.join(' ')} `
        const text = unit.repeat(count)
        const looks = openingOf(text)
        expect(looks === 'maybe' || looks === 'loop').toBe(true)
        if (text.length >= 64 && count >= 6) expect(looks).toBe('loop')
      }),
    )
  })

  it('is never a loop where it does not repeat itself from its first character', () => {
    fc.assert(
      fc.property(words(4, 60), (all) => {
        const text = all.map((each, at) => `${at}${each}`).join(' ')
        expect(openingOf(text)).toBe(text.length < 24 ? 'short' : 'sane')
      }),
    )
  })

  it.each([
    ['', 'short'],
    [' ', 'short'],
    ['The', 'short'],
    ['again again ', 'maybe'],
    ['!'.repeat(63), 'maybe'],
    ['!'.repeat(64), 'loop'],
    ['\n'.repeat(64), 'loop'],
    ['  \n!!!!', 'maybe'],
    ['The quick brown fox jumps', 'sane'],
    ['again again, but not for ever', 'sane'],
    [`Here: ${'again '.repeat(40)}`, 'sane'],
  ] as const)('%j is %s', (text, looks) => {
    expect(openingOf(text)).toBe(looks)
  })
})
