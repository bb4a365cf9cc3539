/** Figures beside their promises: printed, and kept as JSON, from which docs/reliability.md is made (`npm run docs`). */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Outcome } from './run.js'

/** One line of the table: one scenario with one subject. */
export interface Result {
  readonly scenario: string
  /** `lb`, `nginx`, `haproxy`, or what was weakened on purpose. */
  readonly subject: string
  /** A control must fail. */
  readonly control?: true
  readonly n: number
  readonly failed: number
  /** More, in the order in which it is shown; names carry units. */
  readonly figures: Readonly<Record<string, number | string>>
  /** The day; there once it is kept. */
  readonly measuredOn?: string
}

export interface Row {
  /** As in the specification: `a1`. */
  readonly row: string
  readonly title: string
  readonly promise: string
  /** How it is measured, for the page. */
  readonly how: string
}

const folder = fileURLToPath(new URL('results/', import.meta.url))

/** Results of one row. Each is printed when it is there. */
export class Results {
  private readonly results: Result[] = []

  constructor(private readonly row: Row) {
    process.stdout.write(`\n${row.row}: ${row.title}\n  promise: ${row.promise}\n`)
  }

  add(result: Result): Result {
    this.results.push(result)
    const figures = Object.entries(result.figures).map(([name, value]) => `${name} ${value}`)
    const subject = result.control === true ? `${result.subject} (control)` : result.subject
    process.stdout.write(
      `  ${result.scenario.padEnd(18)} ${subject.padEnd(30)} ${result.failed} of ${result.n} failed   ${figures.join(', ')}\n`,
    )
    return result
  }

  /** What of a run all rows show. */
  addRun(scenario: string, outcome: Outcome, more: Pick<Result, 'control' | 'figures'> = { figures: {} }): Outcome {
    const { subject, n, failed, kinds, duplicated: twice, retries } = outcome
    const bad = Object.entries(kinds).filter(([kind]) => kind !== 'whole')
    const figures: Record<string, number | string> = { 'p50 ms': round(outcome.p50Ms), 'p99 ms': round(outcome.p99Ms) }
    if (bad.length > 0) figures['what clients saw'] = bad.map(([kind, count]) => `${count} ${kind}`).join(' ')
    if (retries !== undefined) figures['retries'] = retries
    if (outcome.moved > 0) figures['moved p99 ms'] = round(outcome.movedP99Ms)
    figures['duplicated requests'] = twice.requests
    figures['duplicated tokens %'] = Math.round(twice.tokenShare * 1_000) / 10
    this.add({ scenario, subject, n, failed, ...more, figures: { ...figures, ...more.figures } })
    if (more.control === undefined && outcome.examples.length > 0)
      process.stdout.write(`    ${outcome.examples.slice(0, 2).join('\n    ')}\n`)
    return outcome
  }

  /** Keeps them, each in place of the same of an earlier run. */
  write(): void {
    if (this.results.length === 0) return
    mkdirSync(folder, { recursive: true })
    const path = `${folder}${this.row.row}.json`
    const { machine, measuredOn } = here()
    const kept = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as { results: Result[] }).results : []
    const results = new Map(kept.map((one) => [keyOf(one), one]))
    for (const result of this.results) results.set(keyOf(result), { ...result, measuredOn })
    writeFileSync(path, `${JSON.stringify({ ...this.row, machine, results: [...results.values()] }, undefined, 2)}\n`)
  }
}

const keyOf = ({ scenario, subject }: Result): string => `${scenario} | ${subject}`

function here(): { machine: string; measuredOn: string } {
  const memory = Number(/MemTotal:\s+(\d+)/u.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) / 1024 / 1024
  const [first] = cpus()
  const machine = `${cpus().length} cores (${first?.model.trim() ?? 'unknown'}), ${memory.toFixed(0)} GiB, Linux, Node.js ${process.versions.node}`
  return { machine, measuredOn: new Date().toISOString().slice(0, 10) }
}

export const round = (value: number): number => Math.round(value)
