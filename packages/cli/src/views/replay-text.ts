import type { Percentiles } from '@plimsoll/simulate'
import { sanitize } from './sanitize.js'
import type { LabelledResult } from './simulation-text.js'
import { textTable } from './text-table.js'
import { duration, percent } from './units.js'

/** What the log itself says. */
export interface LoggedFigures {
  /** Null where the log holds no streams: a plain answer comes all at once. */
  readonly ttftMs: Percentiles | null
  readonly tpotMs: Percentiles | null
  readonly e2eMs: Percentiles
  /** Null where no engine said. */
  readonly cachedTokenShare: number | null
}

export interface ReplayReport {
  readonly log: {
    readonly file: string
    readonly pool: string | null
    readonly requests: number
    readonly leftOut: number
    readonly spanMs: number
    readonly nodes: number
    readonly measured: LoggedFigures
  }
  /** So many times slower than the profile the engines were, by the log's time per token. */
  readonly slowness: number
  readonly profile: string
  /** First what ran, then what could have run. */
  readonly results: readonly LabelledResult[]
}

const HEADS = ['WHAT', 'NODES', 'TTFT p50', 'p90', 'TPOT p50', 'E2E mean', 'p99', 'CACHED', 'p90 TTFT', 'mean E2E'] as const
/** A model that is further from what was measured says little. */
const FAR = 1.5

/** What was measured, the same in virtual time, and what would have changed. */
export function replayText({ log, slowness, profile, results }: ReplayReport): string {
  const [before, ...others] = results
  const { measured } = log
  const cached = measured.cachedTokenShare === null ? '-' : percent(measured.cachedTokenShare)
  const rows = [
    ['measured then', log.nodes, ...latencies(measured), cached, '', ''],
    ...results.map((result) => [
      result === before ? `${result.label}, as it ran` : result.label,
      result.nodes,
      ...latencies(result),
      percent(result.cachedTokenShare),
      ...(before === undefined || result === before ? ['', ''] : changes(result, before)),
    ]),
  ]
  const leftOut = log.leftOut === 0 ? '' : `; ${log.leftOut} lines left out: no engine answered them, or they are no generations`
  const pool = log.pool === null ? '' : `pool ${log.pool}, `
  return [
    `${sanitize(log.file)}   ${sanitize(pool)}${log.requests} requests in ${duration(log.spanMs)}${leftOut}`,
    `engines simulated as ${profile}${slowness === 1 ? '' : `, ${slowness}x its time for a step: as slow as the log says`}`,
    '',
    textTable(HEADS, rows),
    ...(before === undefined ? [] : [...doubts(measured.ttftMs?.p50 ?? 0, before), ...others.map((other) => sentence(other, before))]),
    '',
  ].join('\n')
}

function latencies({ ttftMs, tpotMs, e2eMs }: Pick<LoggedFigures, 'ttftMs' | 'tpotMs' | 'e2eMs'>): string[] {
  return [ttftMs?.p50, ttftMs?.p90, tpotMs?.p50, e2eMs.mean, e2eMs.p99].map((ms) => (ms === undefined ? '-' : duration(ms)))
}

function changes(result: LabelledResult, before: LabelledResult): string[] {
  return [change(result.ttftMs.p90, before.ttftMs.p90), change(result.e2eMs.mean, before.e2eMs.mean)]
}

/** `-40 %`, `+12 %`, `same`; large ones as `3.1x`. */
function change(value: number, before: number): string {
  if (before <= 0) return '-'
  const ratio = value / before
  if (ratio >= 3) return `${Number(ratio.toPrecision(2))}x`
  const percents = Math.round(100 * (ratio - 1))
  return percents === 0 ? 'same' : `${percents > 0 ? '+' : ''}${percents} %`
}

function sentence(result: LabelledResult, before: LabelledResult): string {
  const nodes = result.nodes === before.nodes ? '' : ` with ${result.nodes} ${result.nodes === 1 ? 'node' : 'nodes'}`
  const [ttft, e2e] = changes(result, before)
  return `${result.label}${nodes}: p90 TTFT ${duration(before.ttftMs.p90)} to ${duration(result.ttftMs.p90)} (${ttft}), mean E2E ${duration(before.e2eMs.mean)} to ${duration(result.e2eMs.mean)} (${e2e})`
}

function doubts(measuredMs: number, before: LabelledResult): string[] {
  const simulatedMs = before.ttftMs.p50
  if (measuredMs <= 0 || simulatedMs <= 0 || Math.max(measuredMs / simulatedMs, simulatedMs / measuredMs) < FAR) return []
  return [
    `! the simulation of what ran has a median TTFT of ${duration(simulatedMs)}, the log ${duration(measuredMs)}: trust the order of the rows, not their figures`,
  ]
}
