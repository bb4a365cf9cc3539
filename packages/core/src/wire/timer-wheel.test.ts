import * as fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../base/fake-clock.js'
import type { Clock, TimerHandle } from '../base/index.js'
import { TimerWheel } from './timer-wheel.js'

const TICK_MS = 50
const ROUND_MS = 512 * TICK_MS

let clock: FakeClock
let wheel: TimerWheel

beforeEach(() => {
  clock = new FakeClock()
  wheel = new TimerWheel(clock)
})

/** A clock whose timers run late: time passes, and what fell due runs once the stall is over. */
class StallingClock implements Clock {
  private elapsedMs = 0
  private entries: { dueMs: number; callback: () => void }[] = []

  nowMs = (): number => this.elapsedMs
  epochMs = (): number => this.elapsedMs

  after(delayMs: number, callback: () => void): TimerHandle {
    const entry = { dueMs: this.elapsedMs + delayMs, callback }
    this.entries.push(entry)
    return { cancel: () => void (this.entries = this.entries.filter((other) => other !== entry)) }
  }

  /** Time passes and nothing runs. */
  stall(ms: number): void {
    this.elapsedMs += ms
  }

  /** Runs what is due by now. */
  run(): void {
    const due = this.entries.filter(({ dueMs }) => dueMs <= this.elapsedMs)
    this.entries = this.entries.filter((entry) => !due.includes(entry))
    for (const { callback } of due) callback()
  }

  pass(ms: number): void {
    for (let left = ms; left > 0; left -= 10) {
      this.stall(Math.min(10, left))
      this.run()
    }
  }
}

describe('the timer wheel', () => {
  it.each([0, 1, 49, 50, 51, 1_000, 9_999, ROUND_MS - 1, ROUND_MS, ROUND_MS + 1, 5 * ROUND_MS + 37, 3_600_000])(
    'fires once after %i ms, never early, at most two ticks late',
    (delayMs) => {
      for (const offsetMs of [0, 1, 25, 49, 50]) {
        clock.advance(offsetMs)
        const setMs = clock.nowMs()
        const fired: number[] = []
        wheel.after(delayMs, () => fired.push(clock.nowMs() - setMs))
        clock.advance(delayMs + 2 * TICK_MS)
        expect(fired).toHaveLength(1)
        expect(fired[0]).toBeGreaterThanOrEqual(delayMs)
      }
      expect(wheel.size).toBe(0)
    },
  )

  it.each([
    [60, 3, 25],
    [3_000, 13, 270],
  ])('gives everybody else a turn while %d fire: at most %d at a time, all within %d turns', (count, most, within) => {
    const slow = new StallingClock()
    const busy = new TimerWheel(slow)
    let fired = 0
    for (let timer = 0; timer < count; timer += 1) {
      busy.after(20, () => {
        fired += 1
        slow.stall(0.02)
      })
    }
    slow.stall(2 * TICK_MS)
    const turns: number[] = []
    for (let before = 0; fired < count && turns.length < within; before = fired) {
      slow.run()
      turns.push(fired - before)
    }
    expect(fired).toBe(count)
    expect(Math.max(...turns)).toBeLessThanOrEqual(most)
    expect(busy.size).toBe(0)
  })

  it('leaves nothing behind: no timer, no ticking', () => {
    const handles = Array.from({ length: 10 }, (_, index) => wheel.after(index * 100, () => undefined))
    expect(wheel.size).toBe(10)
    for (const handle of handles) {
      handle.cancel()
      handle.cancel()
    }
    expect(wheel.size).toBe(0)
    clock.advance(2 * TICK_MS)
    expect(clock.pending).toBe(0)
  })

  it('is right again after it has slept', () => {
    for (const sleepMs of [0, 7, 1_000_003]) {
      clock.advance(sleepMs)
      const setMs = clock.nowMs()
      let firedMs = 0
      wheel.after(200, () => (firedMs = clock.nowMs() - setMs))
      clock.advance(10_000)
      expect(firedMs).toBeGreaterThanOrEqual(200)
      expect(firedMs).toBeLessThanOrEqual(300)
    }
  })

  it('takes cancels and new timers inside callbacks', () => {
    const fired: string[] = []
    const own = wheel.after(100, () => {
      own.cancel()
      fired.push('first')
      other.cancel()
      wheel.after(0, () => fired.push('child'))
      wheel.after(ROUND_MS, () => fired.push('next round'))
    })
    const other = wheel.after(200, () => fired.push('cancelled'))
    clock.advance(300)
    expect(fired).toEqual(['first', 'child'])
    expect(wheel.size).toBe(1)
    clock.advance(ROUND_MS)
    expect(fired).toContain('next round')
  })

  it('a callback can cancel one that is due in the same slot', () => {
    const fired: number[] = []
    const handles: TimerHandle[] = []
    for (let index = 0; index < 4; index += 1)
      handles.push(
        wheel.after(100, () => {
          fired.push(index)
          for (const handle of handles) handle.cancel()
        }),
      )
    clock.advance(500)
    expect(fired).toHaveLength(1)
    expect(wheel.size).toBe(0)
  })

  it('sets a timer again: once it has fired, while it waits, after a cancel, from within', () => {
    const firedMs: number[] = []
    const timer = wheel.after(100, () => {
      firedMs.push(clock.nowMs())
      if (firedMs.length < 3) wheel.again(timer, 1_000)
    })
    clock.advance(50)
    wheel.again(timer, 500)
    expect(wheel.size).toBe(1)
    clock.advance(3_000)
    timer.cancel()
    wheel.again(timer, 200)
    clock.advance(300)
    expect(firedMs).toEqual([550, 1_550, 2_550, 3_250].map((ms) => expect.closeTo(ms, -2)))
    expect(wheel.size).toBe(0)
  })

  it('one that is due at once and set for later by another does not fire at once', () => {
    const firedMs: number[] = []
    const timers = Array.from({ length: 4 }, (_, index) =>
      wheel.after(100, () => {
        firedMs.push(clock.nowMs())
        if (index === 0) for (const other of timers.slice(1)) wheel.again(other, 1_000)
      }),
    )
    clock.advance(900)
    expect(firedMs).toHaveLength(1)
    clock.advance(500)
    expect(firedMs).toHaveLength(4)
    expect(Math.min(...firedMs.slice(1))).toBeGreaterThanOrEqual(1_100)
  })

  it('keeps ten thousand timers', () => {
    let late = 0
    let count = 0
    for (let index = 0; index < 10_000; index += 1) {
      const delayMs = (index * 7_919) % 60_000
      const handle = wheel.after(delayMs, () => {
        count += 1
        if (clock.nowMs() < delayMs || clock.nowMs() > delayMs + 2 * TICK_MS) late += 1
      })
      if (index % 3 === 0) handle.cancel()
    }
    const kept = wheel.size
    clock.advance(61_000)
    expect({ count, late, left: wheel.size }).toEqual({ count: kept, late: 0, left: 0 })
  })
})

describe('a stall', () => {
  it.each([1_000, ROUND_MS - TICK_MS, ROUND_MS, ROUND_MS + TICK_MS, 20 * ROUND_MS])(
    'of %i ms makes all fire once that fell due in it, and no other',
    (stallMs) => {
      const slow = new StallingClock()
      const wheel = new TimerWheel(slow)
      const fired: number[] = []
      const delays = Array.from({ length: 60 }, (_, index) => Math.round((stallMs * 2 * index) / 60))
      for (const delayMs of delays) wheel.after(delayMs, () => fired.push(delayMs))
      slow.stall(stallMs)
      slow.run()
      const least = delays.filter((delayMs) => delayMs <= stallMs - 2 * TICK_MS)
      expect(fired.length).toBeGreaterThanOrEqual(least.length)
      expect(fired.every((delayMs) => delayMs <= stallMs)).toBe(true)
      slow.pass(stallMs + 3 * TICK_MS)
      expect(fired.sort((a, b) => a - b)).toEqual(delays)
      expect(wheel.size).toBe(0)
    },
  )

  it('does not make a timer early that is set before the wheel has caught up', () => {
    const slow = new StallingClock()
    const wheel = new TimerWheel(slow)
    wheel.after(600_000, () => undefined)
    slow.pass(120)
    slow.stall(5_000)
    const setMs = slow.nowMs()
    let firedMs = -1
    wheel.after(1_000, () => (firedMs = slow.nowMs() - setMs))
    slow.run()
    slow.pass(1_200)
    expect(firedMs).toBeGreaterThanOrEqual(1_000)
  })
})

describe('any use of the wheel', () => {
  type Step =
    | { readonly kind: 'set'; readonly delayMs: number }
    | { readonly kind: 'cancel'; readonly which: number }
    | { readonly kind: 'pass' | 'stall'; readonly ms: number }
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ kind: fc.constant('set' as const), delayMs: fc.oneof(fc.nat(300), fc.nat(3 * ROUND_MS)) }),
    fc.record({ kind: fc.constant('cancel' as const), which: fc.nat() }),
    fc.record({ kind: fc.constantFrom('pass' as const, 'stall' as const), ms: fc.oneof(fc.nat(200), fc.nat(2 * ROUND_MS)) }),
  )

  it('agrees with a list of deadlines', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const slow = new StallingClock()
        const wheel = new TimerWheel(slow)
        const timers: { dueMs: number; handle: TimerHandle; state: 'set' | 'fired' | 'cancelled' }[] = []
        for (const next of steps) {
          if (next.kind === 'set') {
            const timer = {
              dueMs: slow.nowMs() + next.delayMs,
              handle: { cancel: () => undefined } as TimerHandle,
              state: 'set' as 'set' | 'fired' | 'cancelled',
            }
            timer.handle = wheel.after(next.delayMs, () => {
              expect([timer.state, slow.nowMs() >= timer.dueMs]).toEqual(['set', true])
              timer.state = 'fired'
            })
            timers.push(timer)
          } else if (next.kind === 'cancel') {
            const timer = timers[next.which % Math.max(1, timers.length)]
            timer?.handle.cancel()
            if (timer?.state === 'set') timer.state = 'cancelled'
          } else if (next.kind === 'stall') slow.stall(next.ms)
          else {
            slow.run()
            slow.pass(next.ms)
            const overdue = timers.filter(({ state, dueMs }) => state === 'set' && dueMs < slow.nowMs() - 2 * TICK_MS - 10)
            if (next.ms > 2 * TICK_MS) expect(overdue).toEqual([])
          }
          expect(wheel.size).toBe(timers.filter(({ state }) => state === 'set').length)
        }
      }),
      { numRuns: 60 },
    )
  })
})
