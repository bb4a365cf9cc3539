import type { TuneGoal, TuneResult } from '@plimsoll/simulate'
import { textTable } from './text-table.js'

export interface TuneReport extends TuneResult {
  readonly workload: { readonly name: string; readonly summary: string }
  readonly fleet: string
  readonly rate: number
  readonly goal: TuneGoal
  /** What the strategies are compared with. */
  readonly baseline: { readonly label: string; readonly name: string; readonly settings: Readonly<Record<string, unknown>> }
  /** Of the topology, for the lines to copy. */
  readonly pool: string
}

type Judged = TuneReport['judged']

/** What was searched and found, what it would gain, and the lines for the topology where it gains. */
export function tuneText({ workload, fleet, rate, strategies, judged, gains, baseline, pool }: TuneReport): string {
  const rows = strategies.map(({ name, settings, tries, score }) => [name, tries, score.toFixed(3), settingsText(settings)])
  const [best] = strategies
  const found = best === undefined ? '' : `${best.name} with these settings`
  return [
    `${workload.name}   ${workload.summary}`,
    `${fleet}   rate ${rate}`,
    '',
    `search, to ${baseline.label} (below 1 is better; lucky on the requests of the search):`,
    textTable(['STRATEGY', 'TRIED', 'SCORE', 'BEST SETTINGS'], rows),
    `judged on ${judged.pairs} pairs of runs with other requests, ${found} has`,
    ...measures.map(({ name, of }) => `  ${name}  ${intervalText(of(judged))}`),
    '',
    ...(best === undefined || !gains
      ? [
          isWorse(judged)
            ? `Clearly worse than ${baseline.label}. Keep what you have.`
            : `No gain over ${baseline.label} that could be told from chance. Keep what you have.`,
        ]
      : yaml(pool, best)),
    '',
  ].join('\n')
}

const measures = [
  { name: 'p90 TTFT', of: ({ p90Ttft }: Judged) => p90Ttft },
  { name: 'mean E2E', of: ({ meanE2e }: Judged) => meanE2e },
] as const

/** By one measure at least, and better by none. */
function isWorse(judged: Judged): boolean {
  const [ttft, e2e] = [judged.p90Ttft, judged.meanE2e]
  return (ttft.low > 1 && e2e.high >= 1) || (e2e.low > 1 && ttft.high >= 1)
}

function intervalText({ ratio, low, high }: Judged['p90Ttft']): string {
  const verdict = high < 1 ? 'better' : low > 1 ? 'worse' : 'no difference to be told from chance'
  return `${ratio.toFixed(3)}x of the former, 95 % interval ${low.toFixed(3)} to ${high.toFixed(3)}: ${verdict}`
}

function yaml(pool: string, { name, settings }: TuneReport['strategies'][number]): string[] {
  const pairs = Object.entries({ name, ...settings }).map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
  return ['in lb.yaml:', '  pools:', `    ${pool}:`, `      strategy: { ${pairs.join(', ')} }`]
}

function settingsText(settings: Readonly<Record<string, unknown>>): string {
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ')
}
