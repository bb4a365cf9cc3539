import type { SimulationResult } from '@plimsoll/simulate'
import { sanitize } from './sanitize.js'
import { textTable } from './text-table.js'
import { duration, percent } from './units.js'

const HEADS = ['STRATEGY', 'TTFT p50', 'p90', 'p99', 'TPOT p50', 'E2E mean', 'p99', 'CACHED', 'BEST IN'] as const

/** Requests that wait inside each node, in the mean. */
const LONG_QUEUE = 20

/** One run of a comparison; the label tells it from others of the same strategy. */
export type LabelledResult = SimulationResult & { readonly label: string }

/** A comparison that was made. */
export interface SimulationReport {
  readonly workload: { readonly name: string; readonly summary: string }
  readonly fleet: string
  readonly seed: number
  readonly results: readonly LabelledResult[]
}

/** A table for each rate, the best of each measure marked. */
export function simulationText({ workload, fleet, seed, results }: SimulationReport): string {
  const rates = [...new Set(results.map(({ rate }) => rate))]
  const tables = rates.map((rate) => {
    const own = results.filter((result) => result.rate === rate)
    return `\nrate ${rate}   ${own[0]?.requests ?? 0} requests measured\n${textTable(HEADS, tableRows(own))}${troubleLines(own)}`
  })
  return `${sanitize(workload.name)}   ${workload.summary}\n${fleet}   seed ${seed}\n${tables.join('')}`
}

function tableRows(results: readonly LabelledResult[]): string[][] {
  return results.map((result) => [
    result.label,
    duration(result.ttftMs.p50),
    duration(result.ttftMs.p90),
    duration(result.ttftMs.p99),
    duration(result.tpotMs.p50),
    duration(result.e2eMs.mean),
    duration(result.e2eMs.p99),
    percent(result.cachedTokenShare),
    bestIn(result, results),
  ])
}

const judged = [
  { name: 'p90 TTFT', of: ({ ttftMs }: LabelledResult) => ttftMs.p90 },
  { name: 'mean E2E', of: ({ e2eMs }: LabelledResult) => e2eMs.mean },
] as const

function bestIn(result: LabelledResult, results: readonly LabelledResult[]): string {
  if (results.length < 2) return ''
  return judged
    .filter(({ of }) => of(result) === Math.min(...results.map(of)))
    .map(({ name }) => name)
    .join(', ')
}

/** What went wrong in a run; nothing where all went well. */
function troubleLines(results: readonly LabelledResult[]): string {
  return results
    .flatMap((result) => {
      const { label, refused, cut, moved } = result
      const queue = queueAtEnd(result)
      const parts = [
        ...(queue === 0
          ? []
          : [`more came than these nodes serve, and the queue grew to ${queue} requests: try a lower --rate or more nodes`]),
        ...(refused === 0 ? [] : [`${refused} refused`]),
        ...(cut === 0 ? [] : [`${cut} cut and sent again`]),
        ...(moved === 0 ? [] : [`${moved} moved to another node`]),
      ]
      return parts.length === 0 ? [] : [`! ${label}: ${parts.join(', ')}\n`]
    })
    .join('')
}

/** Requests of a long queue that grew without a break; 0 where there was none: then the nodes kept up, or had a bad moment only. */
function queueAtEnd({ load, nodes }: LabelledResult): number {
  const moments = load.waiting[0]?.length ?? 0
  const queues = Array.from({ length: moments }, (_, at) => load.waiting.reduce((sum, node) => sum + (node[at] ?? 0), 0))
  const longest = Math.max(0, ...queues)
  const peak = queues.indexOf(longest)
  const growing = queues.slice(peak / 2, peak)
  return longest >= LONG_QUEUE * nodes && growing.every((queue) => queue > longest / 4) ? longest : 0
}

/** Without the load over time, which is the page's. */
export function simulationJson(results: readonly LabelledResult[]): readonly object[] {
  return results.map((result) => Object.fromEntries(Object.entries(result).filter(([key]) => key !== 'load')))
}
