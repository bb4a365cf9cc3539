import { describe, expect, it } from 'vitest'
import { meanReports, reportsOf } from './strategy-reports.js'

const pool = (name: string, report?: () => Record<string, number>) => ({
  name,
  strategyName: 'learner',
  strategy: { pick: () => 0, ...(report === undefined ? {} : { report }) },
})

describe('what strategies report', () => {
  it('is left out where there is nothing, where it is no number, and beyond 32 names; a failing one is told of', () => {
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`v${at}`, at]))
    const faults: string[] = []
    const fail = (): never => {
      throw new Error('no idea')
    }
    const pools = [pool('a'), pool('b', () => ({ error: 0.5, odd: NaN })), pool('c', () => many), pool('d', fail), pool('e', () => ({}))]
    const reports = reportsOf(pools, (name) => void faults.push(name))
    expect(reports.map((report) => report.pool)).toEqual(['b', 'c'])
    expect(reports[0]).toEqual({ pool: 'b', strategy: 'learner', values: { error: 0.5 } })
    expect(Object.keys(reports[1]?.values ?? {})).toHaveLength(32)
    expect(faults).toEqual(['d'])
  })

  it('is the mean over threads', () => {
    const told = (error: number) => [{ pool: 'a', strategy: 'learner', values: { error } }]
    expect(meanReports([told(0.2), told(0.4), []])).toEqual([
      { pool: 'a', strategy: 'learner', values: { error: expect.closeTo(0.3, 9) as number } },
    ])
    expect(meanReports([])).toEqual([])
  })
})
