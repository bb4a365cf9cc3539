import type { ReportOptions } from '@plimsoll/simulate'
import type { LoggedFigures, ReplayReport } from './replay-text.js'
import type { SimulationReport } from './simulation-text.js'
import { duration, percent } from './units.js'

const NOT_MEASURED = 'simulated by lb, nothing here was measured on machines'

/** A comparison as a page. */
export function simulationPage({ workload, fleet, seed, results }: SimulationReport): ReportOptions {
  const facts = [workload.summary, fleet, `seed ${seed}; ${NOT_MEASURED}`]
  return { title: `${workload.name}: how strategies compare`, facts, results }
}

/** A replay as a page: what the log says stands in front, the runs go along the number of nodes. */
export function replayPage({ log, slowness, profile, results }: ReplayReport): ReportOptions {
  const [before] = results
  const pool = log.pool === null ? '' : `pool ${log.pool}, `
  const facts = [
    `${pool}${log.requests} requests in ${duration(log.spanMs)}${log.leftOut === 0 ? '' : `; ${log.leftOut} lines left out`}`,
    ...(before === undefined ? [] : [`what ran: ${before.label} on ${before.nodes} ${before.nodes === 1 ? 'node' : 'nodes'}`]),
    `measured then: ${measuredText(log.measured)}`,
    `engines simulated as ${profile}${slowness === 1 ? '' : `, ${slowness}x its time for a step`}; seed ${before?.seed ?? '-'}; ${NOT_MEASURED} but that line`,
  ]
  return { title: `${log.file}: what would have changed`, facts, results, along: 'nodes' }
}

/** `TTFT 20 ms (p50), 39 ms (p90), ...`: what the log holds. */
function measuredText({ ttftMs, tpotMs, e2eMs, cachedTokenShare }: LoggedFigures): string {
  return [
    ...(ttftMs === null ? [] : [`TTFT ${duration(ttftMs.p50)} (p50), ${duration(ttftMs.p90)} (p90)`]),
    ...(tpotMs === null ? [] : [`TPOT ${duration(tpotMs.p50)} (p50)`]),
    `E2E ${duration(e2eMs.mean)} (mean), ${duration(e2eMs.p99)} (p99)`,
    ...(cachedTokenShare === null ? [] : [`${percent(cachedTokenShare)} cached`]),
  ].join(', ')
}
