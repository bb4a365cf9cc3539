import { describe, expect, it } from 'vitest'
import { Judge } from './judge.js'
import type { JudgeSample } from './judge-sample.js'
import { plan, simulateRollout } from './simulated-rollout.test.fixture.js'

const good: Omit<JudgeSample, 'side'> = {
  node: null,
  startedAtMs: 0,
  endedAtMs: 0,
  failed: false,
  refused: false,
  ttftMs: 100,
  computedTokens: 400,
  tpotMs: 20,
  wholeMs: null,
  completionTokens: 100,
}
const fine = { chars: 400, isEmpty: false, isRepeating: false, isMalformed: false }

/** One of the canary after every three of the baseline. */
function alternating(judge: Judge, count: number, canary: Partial<JudgeSample>): number {
  for (let nth = 1; nth <= count; nth += 1) {
    for (let old = 0; old < 3; old += 1) judge.add({ ...good, side: 'baseline', quality: fine })
    judge.add({ ...good, side: 'canary', quality: fine, ...canary })
    if (judge.isBad) return nth
  }
  return count
}

describe('the judge', () => {
  it('waits for the least number of requests on each side, and then says good', () => {
    const judge = new Judge(plan)
    alternating(judge, 49, {})
    expect(judge.report()).toMatchObject({
      verdict: 'undecided',
      reason: 'waits for requests: 49 on the new revision and 147 on the old one, 50 are needed on each',
    })
    alternating(judge, 1, {})
    expect(judge.report()).toMatchObject({ verdict: 'good', reason: null, canaryRequests: 50, baselineRequests: 150 })
    expect(judge.report().figures.map(({ name, verdict }) => [name, verdict])).toEqual(
      ['errors', 'refused', 'ttft', 'tpot', 'empty', 'repeated', 'malformed', 'length'].map((name) => [name, 'good']),
    )
  })

  it('calls too few requests a failure once no more will come', () => {
    const judge = new Judge(plan)
    alternating(judge, 20, {})
    expect(judge.finalVerdict()).toMatchObject({
      verdict: 'bad',
      reason: 'too few requests: 20 on the new revision and 60 on the old one, 50 are needed on each',
    })
    expect(new Judge(plan).finalVerdict().verdict).toBe('bad')
  })

  it('says what the few requests showed that there were', () => {
    const judge = new Judge(plan)
    for (let old = 0; old < 115; old += 1) judge.add({ ...good, side: 'baseline', quality: fine })
    judge.step(1)
    for (let nth = 0; nth < 5; nth += 1) judge.add({ ...good, side: 'canary', startedAtMs: 1, failed: true })
    expect(judge.isBad).toBe(false)
    expect(judge.finalVerdict()).toMatchObject({
      verdict: 'bad',
      reason: expect.stringMatching(
        /^too few requests: 5 on the new .* each; those few look worse: errors: 100 % of 5 failed, 0 % of 115 /u,
      ),
    })
  })

  it.each<[string, Partial<JudgeSample>, string]>([
    ['answers 500', { failed: true }, 'errors: 100 % of 6 failed, 0 % of 18 on the old revision (+58 % to +100 %; at most +1 %)'],
    ['refuses what the old one takes', { refused: true }, 'refused: 100 % of 8 were refused as wrong, 0 % of 24'],
    ['answers nothing', { quality: { ...fine, isEmpty: true } }, 'empty: 100 % of 8 were empty'],
    ['repeats itself', { quality: { ...fine, isRepeating: true } }, 'repeated: 100 % of 8 said the same over and over'],
    [
      'takes three times as long to the first token',
      { ttftMs: 300 },
      'ttft: 300 ms against 100 ms for like requests of the old revision, x3',
    ],
    ['takes three times as long from token to token', { tpotMs: 60 }, 'tpot: 60 ms against 20 ms'],
  ])('finds within 20 requests a revision that always %s', (_, canary, reason) => {
    const judge = new Judge(plan)
    expect(alternating(judge, 50, canary)).toBeLessThanOrEqual(20)
    expect(judge.report()).toMatchObject({ verdict: 'bad', reason: expect.stringContaining(reason) })
  })

  it('compares answers in one piece by their time for each token', () => {
    const judge = new Judge(plan)
    const whole = { ...good, ttftMs: null, tpotMs: null }
    let needed = 0
    while (!judge.isBad && needed < 50) {
      for (let old = 0; old < 3; old += 1) judge.add({ ...whole, side: 'baseline', wholeMs: 2_000 })
      judge.add({ ...whole, side: 'canary', wholeMs: 6_000 })
      needed += 1
    }
    expect(needed).toBeLessThanOrEqual(20)
    expect(judge.report().reason).toContain('tpot: 60 ms against 20 ms')
  })

  it('never takes a verdict back', () => {
    const judge = new Judge(plan)
    alternating(judge, 50, { failed: true })
    const before = judge.report()
    alternating(judge, 500, {})
    expect(judge.report()).toMatchObject({ verdict: 'bad', reason: before.reason })
    expect(judge.report().figures[0]).toEqual(before.figures[0])
    expect(judge.finalVerdict().verdict).toBe('bad')
  })

  it('finds what always fails also where the old revision answers no more, or never did', () => {
    for (const before of [0, 200]) {
      const judge = new Judge(plan)
      for (let old = 0; old < before; old += 1) judge.add({ ...good, side: 'baseline' })
      let needed = 0
      while (!judge.isBad && needed < 50) {
        judge.add({ ...good, side: 'canary', failed: true })
        needed += 1
      }
      expect(needed).toBeLessThanOrEqual(before === 0 ? 25 : 12)
    }
  })

  it('calls no revision worse that fails as the old one does', () => {
    const judge = new Judge(plan)
    for (let nth = 0; nth < 500; nth += 1) for (const side of ['baseline', 'canary'] as const) judge.add({ ...good, side, failed: true })
    expect(judge.report().verdict).toBe('good')
  })

  it('calls no revision slower because its nodes have more to do', () => {
    const run = (ttftMs: number): boolean => {
      const judge = new Judge(plan)
      for (let nth = 0; nth < 400 && !judge.isBad; nth += 1) {
        for (const node of ['new-0', 'new-1', 'new-0', 'new-1']) judge.add({ ...good, side: 'canary', node, ttftMs })
        for (const node of ['old-0', 'old-1', 'old-2', 'old-3']) judge.add({ ...good, side: 'baseline', node })
      }
      return judge.isBad
    }
    expect([170, 300].map(run)).toEqual([false, true])
  })

  it('calls no revision slower because its first requests are', () => {
    const judge = new Judge(plan)
    for (let nth = 0; nth < 200; nth += 1) {
      for (let old = 0; old < 3; old += 1) judge.add({ ...good, side: 'baseline', node: 'old' })
      judge.add({ ...good, side: 'canary', node: 'new', ttftMs: nth < 8 ? 5_000 : 100 })
    }
    expect(judge.report().verdict).toBe('good')
  })

  it('calls no revision slower because a crowd waited for its only node', () => {
    const run = (crowdMs: number): boolean => {
      const judge = new Judge(plan)
      for (let nth = 0; nth < 400; nth += 1) judge.add({ ...good, side: 'baseline', startedAtMs: nth * 10 })
      judge.step(10_000)
      for (let nth = 0; nth < 60; nth += 1) judge.add({ ...good, side: 'canary', startedAtMs: 10_000 + (nth * crowdMs) / 60, ttftMs: 500 })
      return judge.isBad
    }
    expect([1_500, 30_000].map(run)).toEqual([false, true])
  })

  it('calls a cold cache no regression, and finds one behind it', () => {
    const coldRequests = 2_000
    expect(simulateRollout({ seed: 3, canary: { coldRequests } }).isBad).toBe(false)
    const slow = simulateRollout({ seed: 3, canary: { coldRequests, ttftFactor: 2 } })
    expect(slow.reason).toContain('ttft')
    expect(slow.canaryRequests).toBeLessThan(100)
  })

  it('waits for a suspicion to become evidence or to go, and lets it go at the end', () => {
    const judge = new Judge({ ...plan, falseAlarmRate: 1e-9 })
    alternating(judge, 60, {})
    alternating(judge, 3, { failed: true })
    expect(judge.report()).toMatchObject({ verdict: 'undecided', reason: expect.stringContaining('looks worse, may be chance: errors') })
    expect(judge.report().figures[0]?.confidence).toBeGreaterThan(0.95)
    expect(judge.finalVerdict()).toMatchObject({ verdict: 'good', reason: null })
  })

  it('is told of faults, golden prompts and metrics', () => {
    const crashed = new Judge(plan)
    crashed.fault('start', 'the new engine ended with code 1')
    expect(crashed.report()).toMatchObject({ verdict: 'bad', reason: 'the new engine ended with code 1' })

    const wrong = new Judge(plan)
    wrong.golden({ asked: 12, passed: 11, firstFailure: 'golden.yaml:3: the answer is empty' })
    expect(wrong.report()).toMatchObject({ verdict: 'bad', reason: 'golden: 11 of 12 prompts passed; golden.yaml:3: the answer is empty' })
    expect(wrong.report().figures.at(-1)).toMatchObject({ name: 'golden', canary: 11, limit: 'all 12', verdict: 'bad' })

    const waits = new Judge(plan)
    alternating(waits, 50, {})
    waits.golden({ asked: 2, passed: 2, firstFailure: null })
    const reading = {
      name: 'stars',
      canary: null,
      baseline: null,
      limit: 'at least 4',
      verdict: 'undecided',
      reason: '',
      isUntold: true,
    } as const
    waits.metric(reading)
    expect(waits.report()).toMatchObject({ verdict: 'undecided', reason: 'waits for stars' })
    expect(waits.finalVerdict()).toMatchObject({ verdict: 'bad', reason: 'stars: no number was told' })
    waits.metric({ ...reading, canary: 4.5, verdict: 'good', isUntold: false })
    expect(waits.report().verdict).toBe('good')
    waits.metric({ ...reading, canary: 3, verdict: 'bad', reason: 'stars: is 3 (at least 4)' })
    expect(waits.report()).toMatchObject({ verdict: 'bad', reason: 'stars: is 3 (at least 4)' })
  })

  it('finds what becomes bad after thousands of requests that were fine', () => {
    for (const canary of [{ failed: true }, { ttftMs: 300 }]) {
      const judge = new Judge(plan)
      for (let nth = 0; nth < 3_000; nth += 1) {
        for (let old = 0; old < 3; old += 1) judge.add({ ...good, side: 'baseline', ttftMs: 80 + ((nth * 7 + old * 3) % 40) })
        judge.add({ ...good, side: 'canary', ttftMs: 80 + ((nth * 11) % 40) })
      }
      expect(judge.report().verdict).toBe('good')
      expect(alternating(judge, 400, canary)).toBeLessThan(350)
    }
  })

  it('takes no harm from what no engine should tell', () => {
    const judge = new Judge(plan)
    for (const value of [Infinity, Number.NaN, 0, -1, 1e308]) {
      for (const side of ['canary', 'baseline'] as const)
        judge.add({ ...good, side, ttftMs: value, tpotMs: value, completionTokens: value, computedTokens: value })
    }
    expect(alternating(judge, 50, { ttftMs: 300 })).toBeLessThan(30)
    for (const { confidence } of judge.report().figures) expect(confidence).toBeGreaterThanOrEqual(0)
  })

  it('holds no more of a long rollout than of a short one', () => {
    const judge = new Judge(plan)
    for (let nth = 0; nth < 60_000; nth += 1) {
      judge.add({
        ...good,
        side: nth % 20 === 0 ? 'canary' : 'baseline',
        quality: fine,
        startedAtMs: nth,
        endedAtMs: nth + 50,

        computedTokens: nth % 3_000,
      })
    }
    const held = (value: unknown): number =>
      typeof value !== 'object' || value === null ? 1 : Object.values(value).reduce<number>((sum, part) => sum + held(part), 0)
    expect(held(judge)).toBeLessThan(100_000)
  })
})
