import type { SimulationResult } from '../simulation-result.js'
import { loadCurves } from './load-curves.js'
import { escapeText, plotSvg, type Curve } from './plot.js'

export interface ReportOptions {
  readonly title: string
  /** What was simulated, a line for each fact. */
  readonly facts: readonly string[]
  /** Strategies by name, with their settings where they have some. */
  readonly results: readonly (SimulationResult & { readonly label: string })[]
  /** What differs between runs of one strategy: curves go along it. Default `rate`. */
  readonly along?: 'rate' | 'nodes'
}

/** Load over time takes room: so many runs show theirs. */
const MOST_LOAD_PLOTS = 48

const STYLE = `body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem;color:#1c1c1c;background:#fff}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2.2rem}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}th,td{padding:.2rem .7rem;text-align:right;border-bottom:1px solid #ddd}
th:first-child,td:first-child{text-align:left}td.best{font-weight:700}
.plots{display:flex;flex-wrap:wrap;gap:1.2rem}svg{max-width:100%;height:auto}
.grid{stroke:#ddd;stroke-width:.7}text{fill:currentColor;font:11px system-ui,sans-serif}.title{font-size:13px;font-weight:600}
@media(prefers-color-scheme:dark){body{color:#e6e6e6;background:#16181b}th,td{border-color:#444}.grid{stroke:#3a3d42}}`

/** One page about one comparison that needs nothing else: no script, no network. */
export function htmlReport({ title, facts, results, along = 'rate' }: ReportOptions): string {
  const axis = axes[along]
  const places = [...new Set(results.map(axis.of))].toSorted((one, other) => one - other)
  return [
    '<!doctype html>',
    `<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeText(title)}</title><style>${STYLE}</style></head><body>`,
    `<h1>${escapeText(title)}</h1>`,
    `<p>${facts.map(escapeText).join('<br>')}</p>`,
    `<h2>${axis.heading}</h2><div class="plots">`,
    ...measures.map((measure) => latencyPlot(measure, axis, results)),
    '</div>',
    ...places.flatMap((place) => [`<h2>${axis.titleOf(place)}</h2>`, table(results.filter((result) => axis.of(result) === place))]),
    '<h2>Requests on each node over time</h2><div class="plots">',
    ...results.slice(0, MOST_LOAD_PLOTS).map((result) => loadPlot(result, axis)),
    '</div>',
    '</body></html>',
    '',
  ].join('\n')
}

type Result = ReportOptions['results'][number]

interface Axis {
  readonly heading: string
  readonly label: string
  readonly of: (result: Result) => number
  readonly titleOf: (place: number) => string
}

const axes: Readonly<Record<NonNullable<ReportOptions['along']>, Axis>> = {
  rate: {
    heading: 'Latency against rate',
    label: "multiple of the workload's own rate",
    of: ({ rate }) => rate,
    titleOf: (rate) => `Rate ${rate}`,
  },
  nodes: {
    heading: 'Latency against the number of nodes',
    label: 'nodes',
    of: ({ nodes }) => nodes,
    titleOf: (nodes) => `${nodes} ${nodes === 1 ? 'node' : 'nodes'}`,
  },
}

interface Measure {
  readonly name: string
  readonly of: (result: Result) => number
}

const measures: readonly Measure[] = [
  { name: 'p90 TTFT, ms', of: ({ ttftMs }) => ttftMs.p90 },
  { name: 'mean E2E, ms', of: ({ e2eMs }) => e2eMs.mean },
  { name: 'p50 TPOT, ms', of: ({ tpotMs }) => tpotMs.p50 },
]

const columns: readonly (Measure & { readonly digits?: number })[] = [
  { name: 'TTFT p50 ms', of: ({ ttftMs }) => ttftMs.p50 },
  { name: 'p90', of: ({ ttftMs }) => ttftMs.p90 },
  { name: 'p99', of: ({ ttftMs }) => ttftMs.p99 },
  { name: 'TPOT p50 ms', of: ({ tpotMs }) => tpotMs.p50, digits: 1 },
  { name: 'p90', of: ({ tpotMs }) => tpotMs.p90, digits: 1 },
  { name: 'E2E mean ms', of: ({ e2eMs }) => e2eMs.mean },
  { name: 'p99', of: ({ e2eMs }) => e2eMs.p99 },
]

function latencyPlot({ name, of }: Measure, axis: Axis, results: readonly Result[]): string {
  const labels = [...new Set(results.map(({ label }) => label))]
  const curves = labels.map((label): Curve => {
    const own = results.filter((result) => result.label === label).toSorted((one, other) => axis.of(one) - axis.of(other))
    return { name: label, points: own.map((result) => [axis.of(result), of(result)]) }
  })
  return plotSvg({ title: name, xLabel: axis.label, yLabel: name, curves, logarithmic: true, legend: true })
}

function loadPlot(result: Result, axis: Axis): string {
  const place = axis.titleOf(axis.of(result))
  return plotSvg({
    title: `${result.label}, ${place.toLowerCase()}`,
    xLabel: 'seconds',
    yLabel: 'requests on the node',
    curves: loadCurves(result),
    width: 360,
    height: 210,
  })
}

function table(results: readonly Result[]): string {
  const heads = ['strategy', ...columns.map(({ name }) => name), 'cached', 'requests', 'lost']
  const best = columns.map(({ of }) => Math.min(...results.map(of)))
  const rows = results.map((result) => {
    const cells = columns.map(({ of, digits = 0 }, at) => {
      const value = of(result)
      return `<td${value === best[at] && results.length > 1 ? ' class="best"' : ''}>${value.toFixed(digits)}</td>`
    })
    const cached = `${Math.round(100 * result.cachedTokenShare)} %`
    return `<tr><td>${escapeText(result.label)}</td>${cells.join('')}<td>${cached}</td><td>${result.requests}</td><td>${result.refused + result.cut}</td></tr>`
  })
  return `<table><tr>${heads.map((head) => `<th>${head}</th>`).join('')}</tr>${rows.join('')}</table>`
}
