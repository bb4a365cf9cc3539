/**
 * The judge of rollouts over thousands of them, in virtual time: how often it takes back what is as good as before, and how soon it finds what is worse. The
 * figures stand in docs/decisions/2026-11-21-the-judge.md.
 */
import { afterAll, describe, expect, it } from 'vitest'
import { tallyOf, type SimulatedOptions, type Tally } from '../../packages/core/src/rollout/judge/simulated-rollout.test.fixture.js'

type Options = Omit<SimulatedOptions, 'seed'>

const report: string[] = []

afterAll(() => void process.stdout.write(`\n${report.join('\n')}\n`))

function tally(name: string, count: number, options: Options): Tally {
  const startedMs = performance.now()
  const told = tallyOf(name, count, options)
  report.push(`${told.line}  (${((performance.now() - startedMs) / 1000).toFixed(1)} s)`)
  return told
}

const noErrors = { baseline: { errorRate: 0 } }
const fails = { canary: { errorRate: 0.05 }, ...noErrors }

describe('a revision that is as good as the old one', () => {
  it('is rolled back at most 5 times of 1,000', () => {
    expect(tally('equal, 5 % to 100 %', 1_000, { stepRequests: 300 }).rolledBack).toBeLessThanOrEqual(5)
  })

  it.each<[string, Options]>([
    ['equal, half and half', { shares: [0.5, 0.5] }],
    ['equal, all at once', { shares: [1], requestsBefore: 600 }],
    ['equal, cold cache', { canary: { coldRequests: 300 } }],
    ['equal, one in ten fails', { baseline: { errorRate: 0.1 }, canary: { errorRate: 0.1 } }],
    ['equal, three times slower by the end', { drift: 3, shares: [0.05, 0.25, 0.5] }],
  ])('%s: is rolled back at most twice of 100', (name, options) => {
    expect(tally(name, 100, { stepRequests: 300, ...options }).rolledBack).toBeLessThanOrEqual(2)
  })
})

describe('a revision that is worse', () => {
  it.each<[string, Options, number]>([
    ['5 % errors, 5 % to 100 %', fails, 300],
    ['TTFT x1.5, 5 % to 100 %', { canary: { ttftFactor: 1.5 } }, 300],
  ])('%s: is found at least 980 times of 1,000', (name, options, within) => {
    expect(tally(name, 1_000, options).within(within)).toBeGreaterThanOrEqual(980)
  })

  it.each<[string, Options, number]>([
    ['5 % errors, one request in four', { ...fails, shares: [0.25], stepRequests: 3_000 }, 400],
    ['5 % errors, half of the requests', { ...fails, shares: [0.5], stepRequests: 3_000 }, 500],
    ['5 % errors against 1 %, one in four', { canary: { errorRate: 0.05 }, shares: [0.25], stepRequests: 6_000 }, 1_500],
    ['TTFT x1.5, one request in four', { canary: { ttftFactor: 1.5 }, shares: [0.25], stepRequests: 3_000 }, 600],
    ['TTFT x1.5, half of the requests', { canary: { ttftFactor: 1.5 }, shares: [0.5], stepRequests: 3_000 }, 1_500],
    ['all fail, half of the requests', { canary: { errorRate: 1 }, shares: [0.5] }, 20],
    ['all fail, all at once', { canary: { errorRate: 1 }, shares: [1] }, 20],
    ['all empty', { canary: { emptyRate: 1 }, shares: [0.25] }, 20],
    ['all repeat themselves', { canary: { repeatedRate: 1 }, shares: [0.25] }, 20],
    ['TTFT x3, one request in four', { canary: { ttftFactor: 3 }, shares: [0.25] }, 60],
    ['TTFT x3, half of the requests', { canary: { ttftFactor: 3 }, shares: [0.5] }, 60],
    ['TPOT x1.5, one request in four', { canary: { tpotFactor: 1.5 }, shares: [0.25], stepRequests: 1_500 }, 250],
  ])('%s: is found 99 times of 100', (name, options, within) => {
    expect(tally(name, 100, options).within(within)).toBeGreaterThanOrEqual(99)
  })

  it('is found within 300 requests also where both have half of them, in at least 95 of 100', () => {
    expect(
      tally('5 % errors, half of the requests', 300, { ...fails, shares: [0.5], stepRequests: 1_500 }).within(300),
    ).toBeGreaterThanOrEqual(285)
  })

  it('is found late too, after thousands of requests that were fine', () => {
    const late = { shares: [0.25], stepRequests: 12_000, canary: { badAfter: 2_000, errorRate: 0.05 }, ...noErrors }
    const { needed } = tally('5 % errors after 2,000 good requests', 40, late)
    expect(needed.filter((requests) => requests >= 2_000 && requests <= 2_600).length).toBeGreaterThanOrEqual(39)
    const slow = tally('TTFT x2 after 2,000 good requests', 40, { ...late, canary: { badAfter: 2_000, ttftFactor: 2 } })
    expect(slow.needed.filter((requests) => requests >= 2_000 && requests <= 2_600).length).toBeGreaterThanOrEqual(39)
  })

  it('is found in nine of ten rollouts also where there is only the past to compare with', () => {
    expect(tally('TTFT x3, all at once', 100, { canary: { ttftFactor: 3 }, shares: [1] }).within(300)).toBeGreaterThanOrEqual(90)
  })

  it.each<[string, Options]>([
    ['equal, errors three times as frequent on both sides from the start on', { ageing: 3, shares: [0.5] }],
    [
      'equal, errors five times as frequent on both sides from the start on',
      { ageing: 5, shares: [0.5], canary: { errorRate: 0.005 }, baseline: { errorRate: 0.005 } },
    ],
  ])('%s: is rolled back at most 5 times of 300', (name, options) => {
    expect(tally(name, 300, { stepRequests: 900, ...options }).rolledBack).toBeLessThanOrEqual(5)
  })

  it.each<[string, Options, number]>([
    ['TTFT x1.15, limit x1.5', { canary: { ttftFactor: 1.15 }, stepRequests: 300 }, 6],
    ['TTFT x1.25, limit x1.5', { canary: { ttftFactor: 1.25 }, stepRequests: 300 }, 30],
    ['TTFT x1.25, limit x1.5, half of the requests', { canary: { ttftFactor: 1.25 }, shares: [0.5], stepRequests: 1_500 }, 30],
    ['TPOT x1.25, limit x1.5', { canary: { tpotFactor: 1.25 }, stepRequests: 300 }, 27],
  ])('%s: is left alone in nine of ten rollouts', (name, options, most) => {
    expect(tally(name, 300, options).rolledBack).toBeLessThanOrEqual(most)
  })
})
