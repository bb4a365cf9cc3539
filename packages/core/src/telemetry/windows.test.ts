import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FakeClock } from '../base/index.js'
import { Ewma } from './ewma.js'
import { RateMeter } from './rate-meter.js'
import { WindowedQuantiles } from './windowed-quantiles.js'

describe('windowed quantiles', () => {
  it('are null before anything was observed', () => {
    expect(new WindowedQuantiles(new FakeClock()).quantiles()).toBeNull()
  })

  it('are within 2.6 % of the exact ones, for any values', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0.02, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 300 }), (values) => {
        const window = new WindowedQuantiles(new FakeClock())
        for (const value of values) window.observe(value)
        const sorted = values.toSorted((a, b) => a - b)
        for (const [share, read] of [
          [0.5, window.quantiles()!.p50],
          [0.95, window.quantiles()!.p95],
        ] as const) {
          const exact = sorted[Math.ceil(share * values.length) - 1]!
          expect(Math.abs(read / exact - 1)).toBeLessThan(0.026)
        }
      }),
    )
  })

  it('forget what is older than a minute', () => {
    const clock = new FakeClock()
    const window = new WindowedQuantiles(clock)
    window.observe(1000)
    clock.advance(30_000)
    window.observe(10)
    expect(window.quantiles()!.p95).toBeCloseTo(1000, -2)
    clock.advance(31_000)
    expect(window.quantiles()!.p95).toBeCloseTo(10, 0)
    clock.advance(60_000)
    expect(window.quantiles()).toBeNull()
  })

  it('keep a history of medians, oldest first, with nulls where nothing was', () => {
    const clock = new FakeClock()
    const window = new WindowedQuantiles(clock)
    window.observe(100)
    clock.advance(10_000)
    window.observe(200)
    const history = window.history()
    expect(history).toHaveLength(24)
    expect(history.slice(0, 21).every((value) => value === null)).toBe(true)
    expect(history[21]).toBeCloseTo(100, -1)
    expect(history[22]).toBeNull()
    expect(history[23]).toBeCloseTo(200, -1)
    clock.advance(300_000)
    expect(window.history().every((value) => value === null)).toBe(true)
  })

  it('bear zero, negative and absurd values', () => {
    const window = new WindowedQuantiles(new FakeClock())
    for (const value of [0, -5, Infinity]) window.observe(value)
    expect(Number.isFinite(window.quantiles()!.p95)).toBe(true)
  })
})

describe('the rate meter', () => {
  it('tells a steady rate exactly, and a young one over its own age', () => {
    const clock = new FakeClock()
    const meter = new RateMeter(clock)
    for (let second = 0; second < 30; second++) {
      meter.add(5)
      meter.add(15)
      clock.advance(1000)
      if (second === 1) expect(meter.perSecond()).toBeCloseTo(20)
    }
    expect(meter.perSecond()).toBeCloseTo(20)
  })

  it('falls to zero ten seconds after the last event', () => {
    const clock = new FakeClock()
    const meter = new RateMeter(clock)
    meter.add(100)
    clock.advance(9_000)
    expect(meter.perSecond()).toBeGreaterThan(0)
    clock.advance(1_000)
    expect(meter.perSecond()).toBe(0)
  })
})

describe('the moving average', () => {
  it('starts at the first value and halves the past with each half-life', () => {
    const clock = new FakeClock()
    const average = new Ewma(clock, 1000)
    expect(average.value).toBeUndefined()
    average.observe(100)
    clock.advance(1000)
    average.observe(0)
    expect(average.value).toBeCloseTo(50)
  })

  it('lets observations of one instant count a little each', () => {
    const average = new Ewma(new FakeClock(), 1000)
    average.observe(0)
    for (let index = 0; index < 50; index++) average.observe(10)
    expect(average.value).toBeGreaterThan(9)
  })
})
