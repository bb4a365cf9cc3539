import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { editDistance, knownNames, nearestWord } from './nearest-word.js'
import { formatDuration, formatPercent, formatSize, parseDuration, parsePercent, parseSize } from './quantities.js'

describe('durations and sizes', () => {
  it('are read with their units', () => {
    expect(['250ms', '30s', '1.5s', '5m', '2h', '0s'].map(parseDuration)).toEqual([250, 30_000, 1500, 300_000, 7_200_000, 0])
    expect(['1B', '10MiB', '0.5KiB', '2GB'].map(parseSize)).toEqual([1, 10_485_760, 512, 2_000_000_000])
  })

  it('are refused without a unit, with a space, negative or beyond any integer', () => {
    for (const text of ['', '5', '5 s', '-1s', '1d', 's', '1e3s', '9'.repeat(30) + 'h', '1toString'])
      expect(parseDuration(text), text).toBeUndefined()
  })

  it('come back from their written form unchanged', () => {
    fc.assert(fc.property(fc.nat(), (ms) => parseDuration(formatDuration(ms)) === ms))
    fc.assert(fc.property(fc.nat(), (bytes) => parseSize(formatSize(bytes)) === bytes))
  })
})

describe('shares', () => {
  it('are read as parts of one, and refused over 100 %', () => {
    expect(['0%', '5%', '12.5%', '100%'].map(parsePercent)).toEqual([0, 0.05, 0.125, 1])
    for (const text of ['', '5', '5 %', '-1%', '101%', '%', '1e1%']) expect(parsePercent(text), text).toBeUndefined()
  })

  it('come back from their written form unchanged', () => {
    fc.assert(fc.property(fc.nat({ max: 100_000 }), (n) => formatPercent(parsePercent(`${n / 1000}%`) ?? 0) === `${n / 1000}%`))
  })
})

describe('the nearest word', () => {
  it('finds typing slips and leaves strangers alone', () => {
    expect(nearestWord('replica', ['replicas', 'args'])).toBe('replicas')
    expect(nearestWord('helth', ['health', 'drain'])).toBe('health')
    expect(nearestWord('Launch', ['launch'])).toBe('launch')
    expect(nearestWord('gpus', ['args', 'replicas', 'launch'])).toBeUndefined()
    expect(knownNames('caht', ['chat', 'embed'])).toBe('did you mean chat?   known: chat, embed')
    expect(knownNames('x', ['chat', 'embed'])).toBe('known: chat, embed')
  })

  it('counts a swap of neighbours once', () => {
    expect(editDistance('lauhcn', 'launch')).toBe(2)
    expect(editDistance('nmae', 'name')).toBe(1)
  })

  it('is symmetric and zero only for equal words', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a))
        expect(editDistance(a, b) === 0).toBe(a === b)
      }),
    )
  })
})
