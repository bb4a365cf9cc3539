import { expect, it } from 'vitest'
import { Pace } from './pace.js'

function learn(pace: Pace, answers: number, msPerToken: number): void {
  for (let answer = 0; answer < answers; answer++) pace.learn({ arrivedAtMs: 0, ttftMs: 1_000 * msPerToken, computedTokens: 1_000 })
}

it('is what requests take that hardly wait, and a queue does not change that soon', () => {
  const pace = new Pace()
  learn(pace, 7, 0.1)
  expect(pace.secondsPerToken).toBeUndefined()
  learn(pace, 1_000, 0.1)
  expect(pace.secondsPerToken).toBeCloseTo(0.0001, 8)
  learn(pace, 2_000, 5)
  expect(pace.secondsPerToken).toBeLessThan(0.0006)
  learn(pace, 300, 0.08)
  expect(pace.secondsPerToken).toBeCloseTo(0.00008, 8)
})

it('takes no prompts that are too short to tell', () => {
  const pace = new Pace()
  for (let answer = 0; answer < 100; answer++) pace.learn({ arrivedAtMs: 0, ttftMs: 50, computedTokens: 3 })
  expect(pace.secondsPerToken).toBeUndefined()
})
