import { htmlReport, openSource, simulate } from '@plimsoll/simulate'
import { describe, expect, it } from 'vitest'
import { replayText, type ReplayReport } from './replay-text.js'
import { replayPage, simulationPage } from './report-pages.js'
import { simulationJson, simulationText, type LabelledResult } from './simulation-text.js'
import { tuneText, type TuneReport } from './tune-text.js'

const run = (strategy: string, nodes = 4): LabelledResult => ({
  ...simulate({
    nodes: Array.from({ length: nodes }, () => ({ preset: '8b-a100' as const })),
    workload: openSource('tenant').workload({ seed: 1, requests: 300 }),
    strategy: { name: strategy },
    rate: 0.4,
  }),
  label: strategy,
})

const results = [run('round-robin'), run('lmetric')]

describe('a comparison as text', () => {
  it('has a row for each strategy and marks the best of each measure', () => {
    const better = {
      ...results[1],
      e2eMs: { ...run('lmetric').e2eMs, mean: 1 },
      ttftMs: { ...run('lmetric').ttftMs, p90: 1 },
    } as LabelledResult
    const text = simulationText({ workload: { name: 'w', summary: 's' }, fleet: '4 nodes', seed: 3, results: [run('round-robin'), better] })
    expect(text).toContain('w   s\n4 nodes   seed 3\n\nrate 0.4   ')
    expect(text).toMatch(/^round-robin .* -$/m)
    expect(text).toMatch(/^lmetric .* p90 TTFT, mean E2E$/m)
  })

  it('says what went wrong, and marks nothing where there is one strategy', () => {
    const [one] = results
    const text = simulationText({
      workload: { name: 'w', summary: 's' },
      fleet: 'f',
      seed: 1,
      results: [{ ...(one as LabelledResult), cut: 3, moved: 2, refused: 1 }],
    })
    expect(text).toContain('! round-robin: 1 refused, 3 cut and sent again, 2 moved to another node\n')
    expect(text).not.toContain('mean E2E\n')
  })

  it('says where more came than the nodes serve', () => {
    const workload = openSource('tenant').workload({ seed: 1, requests: 3000 })
    const drowned = simulate({ nodes: [{ preset: '3b-a10g' }], workload, strategy: { name: 'lmetric' } })
    const text = simulationText({ workload: { name: 'w', summary: 's' }, fleet: 'f', seed: 1, results: [{ ...drowned, label: 'lmetric' }] })
    expect(text).toMatch(
      /^! lmetric: more came than these nodes serve, and the queue grew to \d{3,} requests: try a lower --rate or more nodes$/m,
    )
    const kept = simulationText({ workload: { name: 'w', summary: 's' }, fleet: 'f', seed: 1, results })
    expect(kept).not.toContain('queue grew')
  })

  it('is JSON in the stable shape, without the load over time', () => {
    const [first] = simulationJson(results)
    expect(first).toMatchObject({
      strategy: 'round-robin',
      rate: 0.4,
      requests: expect.any(Number),
      ttftMs: { p50: expect.any(Number), p90: expect.any(Number), p99: expect.any(Number) },
      tpotMs: { p50: expect.any(Number), p90: expect.any(Number), p99: expect.any(Number) },
      e2eMs: { mean: expect.any(Number), p50: expect.any(Number), p90: expect.any(Number), p99: expect.any(Number) },
      cachedTokenShare: expect.any(Number),
    })
    expect(first).not.toHaveProperty('load')
  })
})

describe('a replay as text', () => {
  const measured = { ttftMs: run('lmetric').ttftMs, tpotMs: run('lmetric').tpotMs, e2eMs: run('lmetric').e2eMs, cachedTokenShare: null }
  const report: ReplayReport = {
    log: { file: 'r\u001b[2J.log', pool: 'chat', requests: 300, leftOut: 2, spanMs: 60_000, nodes: 4, measured },
    slowness: 1.5,
    profile: '8b-a100',
    results: [run('lmetric'), run('round-robin'), run('lmetric', 2)],
  }

  it('says what was, what ran, and what would have changed', () => {
    const text = replayText(report)
    expect(text).toContain('pool chat, 300 requests in 60 s; 2 lines left out')
    expect(text).toContain('8b-a100, 1.5x its time for a step')
    expect(text).toMatch(/^measured then +4 /m)
    expect(text).toMatch(/^lmetric, as it ran +4 /m)
    expect(text).toMatch(/^round-robin: p90 TTFT .+ to .+ \(.+\), mean E2E .+ to .+ \(.+\)$/m)
    expect(text).toMatch(/^lmetric with 2 nodes: /m)
    expect(text).not.toContain('\u001b')
  })

  it('doubts itself where the simulation of what ran is far from the log', () => {
    expect(replayText(report)).not.toContain('trust the order')
    const far = { ...measured, ttftMs: { ...measured.ttftMs, p50: 10 * measured.ttftMs.p50 } }
    expect(replayText({ ...report, log: { ...report.log, measured: far } })).toContain('trust the order of the rows')
  })
})

describe('pages', () => {
  const { ttftMs, tpotMs, e2eMs } = run('lmetric')
  const measured = { ttftMs, tpotMs, e2eMs, cachedTokenShare: 0.5 }
  const log = { file: 'a<b>.log', pool: 'chat', requests: 300, leftOut: 2, spanMs: 60_000, nodes: 4, measured }

  it('of a comparison go along the rate', () => {
    const page = htmlReport(simulationPage({ workload: { name: 'w', summary: 's' }, fleet: '4 nodes', seed: 3, results }))
    expect(page).toContain('<h1>w: how strategies compare</h1>')
    expect(page).toContain('<p>s<br>4 nodes<br>seed 3; simulated by lb')
    expect(page).toContain('<h2>Rate 0.4</h2>')
  })

  it('of a replay say what was, and go along the number of nodes', () => {
    const results = [run('lmetric'), run('round-robin'), run('lmetric', 1)]
    const page = htmlReport(replayPage({ log, slowness: 1.5, profile: '8b-a100', results }))
    expect(page).toContain('<h1>a&lt;b&gt;.log: what would have changed</h1>')
    expect(page).toContain('pool chat, 300 requests in 60 s; 2 lines left out<br>what ran: lmetric on 4 nodes<br>measured then: TTFT ')
    expect(page).toContain('50 % cached<br>engines simulated as 8b-a100, 1.5x its time for a step; seed 1; ')
    expect([...page.matchAll(/<h2>(\d nodes?)<\/h2>/g)].map(([, title]) => title)).toEqual(['1 node', '4 nodes'])
    expect(page.match(/<tr><td>lmetric<\/td>/g)).toHaveLength(2)
    expect(page).not.toMatch(/NaN|Infinity|undefined|null/)
  })

  it('of a log without streams leave out what it does not hold', () => {
    const plain = { ...log, pool: null, leftOut: 0, measured: { ttftMs: null, tpotMs: null, e2eMs, cachedTokenShare: null } }
    const { facts } = replayPage({ log: plain, slowness: 1, profile: '8b-a100', results })
    expect(facts[0]).toBe('300 requests in 60 s')
    expect(facts[2]).toMatch(/^measured then: E2E [^,]+, [^,]+$/)
    expect(facts[3]).toContain('simulated as 8b-a100; seed 1; ')
  })
})

describe('tuning as text', () => {
  const report: TuneReport = {
    workload: { name: 'w', summary: 's' },
    fleet: 'f',
    rate: 1,
    goal: 'both',
    pool: 'support',
    baseline: { label: 'lmetric', name: 'lmetric', settings: {} },
    strategies: [{ name: 'marginal-cost', settings: { batch: 2.5, profile: '8b-a100' }, tries: 8, score: 0.9 }],
    judged: { pairs: 8, p90Ttft: { ratio: 0.9, low: 0.85, high: 0.95 }, meanE2e: { ratio: 1.01, low: 0.98, high: 1.04 } },
    gains: true,
  }

  it('prints the gain with its interval and the lines to copy', () => {
    const text = tuneText(report)
    expect(text).toContain('p90 TTFT  0.900x of the former, 95 % interval 0.850 to 0.950: better')
    expect(text).toContain('mean E2E  1.010x of the former, 95 % interval 0.980 to 1.040: no difference to be told from chance')
    expect(text).toContain('  pools:\n    support:\n      strategy: { name: "marginal-cost", batch: 2.5, profile: "8b-a100" }')
  })

  it('prints no lines where nothing is gained', () => {
    const text = tuneText({ ...report, gains: false })
    expect(text).toContain('No gain over lmetric')
    expect(text).not.toContain('strategy: {')
    const worse = { ...report.judged, p90Ttft: { ratio: 2, low: 1.5, high: 3 }, meanE2e: { ratio: 1.2, low: 1.1, high: 1.3 } }
    expect(tuneText({ ...report, judged: worse, gains: false })).toContain('Clearly worse than lmetric. Keep what you have.')
  })
})
