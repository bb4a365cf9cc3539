import { describe, expect, it } from 'vitest'
import { openSource } from '../workloads/workload-source.js'
import { simulate } from '../simulate.js'
import { htmlReport } from './html-report.js'
import { loadCurves } from './load-curves.js'
import { plotSvg } from './plot.js'

const source = openSource('tenant')
const resultOf = (strategy: string, rate: number, nodes = 4) => ({
  ...simulate({
    nodes: Array.from({ length: nodes }, () => ({ preset: '8b-a100' as const })),
    workload: source.workload({ seed: 1, requests: 400 }),
    strategy: { name: strategy },
    rate,
  }),
  label: strategy,
})

describe('the report', () => {
  it('is one page with curves for each strategy and the load of each node, and asks nobody for anything', () => {
    const results = [0.5, 1].flatMap((rate) => [resultOf('round-robin', rate), resultOf('least-tokens', rate)])
    const page = htmlReport({ title: 'a <b> & c', facts: ['one'], results })
    expect(page).toContain('a &lt;b&gt; &amp; c')
    expect(page).not.toContain('<b>')
    expect(page).not.toMatch(/<script|https?:|url\(|@import|src=/)
    expect(page.match(/<svg/g)).toHaveLength(3 + 4)
    expect(page.match(/<title>n3<\/title>/g)).toHaveLength(4)
    expect(page).not.toMatch(/NaN|Infinity|undefined/)
  })

  it('stands with a single run, and with a run that measured nothing', () => {
    const page = htmlReport({ title: 't', facts: [], results: [resultOf('round-robin', 1)] })
    expect(page).not.toMatch(/NaN|Infinity|undefined/)
    const empty = { ...resultOf('round-robin', 1), load: { intervalMs: 100, running: [[]], waiting: [[]], kvUsedRatio: [[]] } }
    expect(htmlReport({ title: 't', facts: [], results: [empty] })).not.toMatch(/NaN|Infinity/)
  })

  it('goes along the number of nodes where that is what differs', () => {
    const results = [resultOf('round-robin', 1), resultOf('round-robin', 1, 2), resultOf('least-tokens', 1, 2)]
    const page = htmlReport({ title: 't', facts: [], results, along: 'nodes' })
    expect([...page.matchAll(/<h2>(\d nodes)<\/h2>/g)].map(([, title]) => title)).toEqual(['2 nodes', '4 nodes'])
    const [first = ''] = page.split('</svg>')
    expect(first.match(/<circle/g), 'two numbers of nodes and one').toHaveLength(3)
    expect(first).toContain('>nodes</text>')
    expect(page).toContain('>round-robin, 4 nodes</text>')
    expect(page).not.toContain('Rate')
  })

  it('shows of many nodes the fullest, the middle and the emptiest', () => {
    const curves = loadCurves(resultOf('round-robin', 1, 20))
    expect(curves.map(({ name }) => name)).toEqual(['fullest of 20', 'middle of 20', 'emptiest of 20'])
    const [fullest, , emptiest] = curves
    for (const [at, [, y]] of (fullest?.points ?? []).entries()) expect(y).toBeGreaterThanOrEqual(emptiest?.points[at]?.[1] ?? Infinity)
  })

  it('puts larger values higher, also on a logarithmic scale', () => {
    const heights = (logarithmic: boolean): number[] => {
      const svg = plotSvg({
        title: 't',
        xLabel: 'x',
        yLabel: 'y',
        logarithmic,
        curves: [
          {
            name: 'c',
            points: [
              [1, 3],
              [2, 40],
              [3, 5000],
            ],
          },
        ],
      })
      return [...svg.matchAll(/cy="([\d.]+)"/g)].map(([, y]) => Number(y))
    }
    for (const logarithmic of [true, false]) {
      const [low = 0, middle = 0, high = 0] = heights(logarithmic)
      expect(low).toBeGreaterThan(middle)
      expect(middle).toBeGreaterThan(high)
      expect(high).toBeGreaterThan(20)
    }
  })
})
