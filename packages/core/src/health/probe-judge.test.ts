import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ProbeReport } from '../contracts/index.js'
import { ProbeJudge } from './probe-judge.js'

const limits = { fall: 3, rise: 2 }
const good: ProbeReport = { verdict: 'ready' }
const bad: ProbeReport = { verdict: 'sick', reason: 'no' }
const loading: ProbeReport = { verdict: 'loading', reason: 'weights' }

describe('the judge of probes', () => {
  it('calls a ready node bad only after enough failures in a row', () => {
    const judge = new ProbeJudge()
    const verdicts = [bad, bad, good, bad, bad, bad].map((report) => judge.judge(report, 'ready', limits))
    expect(verdicts).toEqual(['undecided', 'undecided', 'steady', 'undecided', 'undecided', 'bad'])
  })

  it('calls a doubted node steady only after enough answers in a row', () => {
    const judge = new ProbeJudge()
    expect([good, bad, good, good].map((report) => judge.judge(report, 'suspect', limits))).toEqual(['good', 'undecided', 'good', 'steady'])
  })

  it('asks no probation of a node that has never failed', () => {
    expect(new ProbeJudge().judge(good, 'starting', limits)).toBe('steady')
    expect(new ProbeJudge().judge(good, 'loading', limits)).toBe('steady')
    expect(new ProbeJudge().judge(bad, 'starting', limits)).toBe('bad')
  })

  it('never takes loading for a failure', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(good, loading), { maxLength: 50 }), (reports) => {
        const judge = new ProbeJudge()
        for (const report of reports) expect(judge.judge(report, 'ready', limits)).not.toBe('bad')
        expect(judge.doubting).toBe(false)
      }),
    )
  })

  it('never calls a ready node bad without `fall` failures at the end of its row', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 60 }), fc.integer({ min: 1, max: 5 }), (answers, fall) => {
        const judge = new ProbeJudge()
        let inARow = 0
        for (const answered of answers) {
          inARow = answered ? 0 : inARow + 1
          expect(judge.judge(answered ? good : bad, 'ready', { fall, rise: 2 }) === 'bad').toBe(inARow >= fall)
        }
      }),
    )
  })
})
