import { describe, expect, it } from 'vitest'
import { clockTime, count, duration, durationPair, hourAndMinute, percent } from './units.js'

describe('numbers with units', () => {
  it('shows counts with at most three digits', () => {
    expect([0, 0.01, 0.4, 9.96, 42, 999, 1000, 1449, 38_210, 999_499, 999_600, 2_100_000].map(count)).toEqual([
      '0',
      '<0.1',
      '0.4',
      '10',
      '42',
      '999',
      '1k',
      '1.4k',
      '38k',
      '999k',
      '1M',
      '2.1M',
    ])
  })

  it('does not print what is not a number', () => {
    expect([Number.NaN, -1, Number.POSITIVE_INFINITY].map(count)).toEqual(['0', '0', '0'])
  })

  it('chooses the unit of a duration', () => {
    expect([0.42, 8, 182, 999, 1000, 1240, 41_000, 100_000, 210_000, 7_560_000].map(duration)).toEqual([
      '0.4 ms',
      '8 ms',
      '182 ms',
      '999 ms',
      '1 s',
      '1.2 s',
      '41 s',
      '1.7 min',
      '3.5 min',
      '2.1 h',
    ])
  })

  it('writes a pair in one unit', () => {
    expect(durationPair(142, 208)).toBe('142 / 208 ms')
    expect(durationPair(402, 1200)).toBe('0.4 / 1.2 s')
  })

  it('keeps percent within its range', () => {
    expect([0, 0.618, 1, 1.4].map(percent)).toEqual(['0 %', '62 %', '100 %', '100 %'])
  })

  it('tells local time', () => {
    const at = new Date(2026, 0, 2, 3, 4, 5).getTime()
    expect([clockTime(at), hourAndMinute(at)]).toEqual(['03:04:05', '03:04'])
  })
})
