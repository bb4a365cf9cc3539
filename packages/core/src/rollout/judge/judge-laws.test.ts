import { describe, expect, it } from 'vitest'
import { tallyOf } from './simulated-rollout.test.fixture.js'

/** test/long/judge-laws.test.ts asks the same of a thousand each, and more. */
describe('the judge, over many rollouts', () => {
  it('takes back at most one of 60 equal revisions', () => {
    expect(tallyOf('equal', 60, { stepRequests: 300 }).rolledBack).toBeLessThanOrEqual(1)
  })

  it('finds 5 % of errors within 300 requests, and first tokens that take half as long again', () => {
    const failing = tallyOf('5 % errors', 60, {
      canary: { errorRate: 0.05 },
      baseline: { errorRate: 0 },
      shares: [0.25],
      stepRequests: 2_000,
    })
    expect(failing.within(300)).toBeGreaterThanOrEqual(57)
    const slow = tallyOf('TTFT x1.5', 60, { canary: { ttftFactor: 1.5 } })
    expect(slow.within(300)).toBeGreaterThanOrEqual(57)
  })

  it('leaves most of those alone whose times are longer by half of what they may be', () => {
    expect(tallyOf('TTFT x1.25', 60, { canary: { ttftFactor: 1.25 }, stepRequests: 300 }).rolledBack).toBeLessThanOrEqual(8)
    expect(tallyOf('TPOT x1.25', 60, { canary: { tpotFactor: 1.25 }, stepRequests: 300 }).rolledBack).toBeLessThanOrEqual(5)
  })

  it('finds 5 % of errors within 300 requests also where both sides have half of them', () => {
    const fails = { canary: { errorRate: 0.05 }, baseline: { errorRate: 0 } }
    const failing = tallyOf('5 % errors, half', 60, { ...fails, shares: [0.5], stepRequests: 2_000 })
    expect(failing.within(300)).toBeGreaterThanOrEqual(54)
  })
})
