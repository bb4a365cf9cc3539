import { describe, expect, it } from 'vitest'
import { Emitter } from './emitter.js'
import { FakeClock } from './fake-clock.js'
import { seededRandom } from './random.js'

describe('the fake clock', () => {
  it('runs timers in order of their due time, also those that timers set', () => {
    const clock = new FakeClock()
    const ran: string[] = []
    clock.after(20, () => ran.push(`b at ${clock.nowMs()}`))
    clock.after(10, () => {
      ran.push(`a at ${clock.nowMs()}`)
      clock.after(5, () => ran.push(`a2 at ${clock.nowMs()}`))
    })
    clock.advance(30)
    expect(ran).toEqual(['a at 10', 'a2 at 15', 'b at 20'])
    expect(clock.pending).toBe(0)
  })

  it('forgets a cancelled timer', () => {
    const clock = new FakeClock()
    clock.after(1, () => expect.unreachable()).cancel()
    clock.advance(5)
  })
})

describe('seeded randomness', () => {
  it('repeats itself for one seed and stays in [0, 1)', () => {
    const draws = (seed: number) => Array.from({ length: 100 }, (_, index) => (index === 0 ? seededRandom(seed) : undefined)?.next())
    expect(draws(7)).toEqual(draws(7))
    const random = seededRandom(1)
    const many = Array.from({ length: 10_000 }, () => random.next())
    expect(Math.min(...many)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...many)).toBeLessThan(1)
    expect(many.reduce((sum, value) => sum + value, 0) / many.length).toBeCloseTo(0.5, 1)
  })
})

describe('the emitter', () => {
  it('goes on to the other listeners when one throws', () => {
    const errors: unknown[] = []
    const emitter = new Emitter<{ tick: number }>((error) => errors.push(error))
    const heard: number[] = []
    emitter.on('tick', () => {
      throw new Error('bad listener')
    })
    const off = emitter.on('tick', (value) => heard.push(value))
    emitter.emit('tick', 1)
    off()
    emitter.emit('tick', 2)
    expect(heard).toEqual([1])
    expect(errors).toHaveLength(2)
  })
})
