/** What a run leaves: the text for the terminal, and results/latest.md, .json and .svg. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chartOf } from './chart.js'
import { machine } from './machine.js'
import { summaryOf } from './statistics.js'
import { aligned, rowsOf, short, tableOf } from './table.js'
import { verdicts } from './targets.js'
import { coresFor } from './tools.js'
import { units } from './units.js'

/** @typedef {{ options: import('./options.js').Options, samples: readonly import('./bench.js').Sample[], skipped: readonly import('./bench.js').Skipped[] }} Run */

const results = fileURLToPath(new URL('results/', import.meta.url))

/**
 * @param {Run} run
 * @returns {string}
 */
export function report({ options, samples, skipped }) {
  const facts = machine()
  const rows = rowsOf(samples)
  const targets = verdicts(samples)
  const measured = units.filter(({ name }) => samples.some(({ unit }) => unit === name))
  const text = [
    Object.entries(facts)
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
    `${options.rounds} rounds, interleaved. Proxies on core 0, upstream and load on the rest; user and system time of the whole process tree.`,
    measured.map(({ name, what }) => `- ${name}: ${what}`).join('\n'),
    disturbance(samples),
    tableOf(rows),
    targetTable(targets.filter(({ measured }) => measured !== undefined)),
    unmeasured(targets),
    skipped.map(skippedLine).join('\n'),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
  mkdirSync(results, { recursive: true })
  writeFileSync(join(results, 'latest.md'), `# The last run of the bench\n\n${text}\n`)
  writeFileSync(join(results, 'latest.json'), `${JSON.stringify({ machine: facts, options, rows, targets, skipped, samples }, null, 2)}\n`)
  writeFileSync(join(results, 'latest.svg'), chartOf(rows, `${facts['cpu']}, Node.js ${facts['node']}, ${facts['date']?.slice(0, 10)}`))
  return `\n${text}\n\nwritten: test/bench/results/latest.md, latest.json, latest.svg`
}

/**
 * Ratios bear it when other programs use the core too; latency and requests per second do not.
 *
 * @param {Run['samples']} samples
 */
function disturbance(samples) {
  const single = samples.filter(({ proxy }) => singleThreaded.includes(proxy))
  const shares = single.flatMap(({ figures }) =>
    Object.entries(figures).flatMap(([name, share]) => (name.endsWith('.waited') ? [share] : [])),
  )
  if (shares.length === 0) return ''
  const { median, high } = summaryOf(shares)
  const inWords = `${singleThreaded.join(' and ')} were kept waiting for their core ${percent(median)} of the time (median; 95 % of the rounds under ${percent(high)}).`
  return median < 0.03 ? inWords : `${inWords} Other programs were running: judge latency and rps from a quieter run.`
}

/** With one thread, whoever keeps them waiting is somebody else. */
const singleThreaded = ['nginx', 'haproxy']

/** @param {number} share */
const percent = (share) => `${(share * 100).toFixed(1)} %`

/** @param {readonly import('./targets.js').Verdict[]} targets */
function unmeasured(targets) {
  const count = targets.filter(({ measured }) => measured === undefined).length
  const why = coresFor.count < 4 ? '; two data threads need four cores' : ''
  return count === 0 ? '' : `${count} of ${targets.length} targets need units or proxies that this run does not have${why}.`
}

/** @param {readonly import('./targets.js').Verdict[]} targets */
function targetTable(targets) {
  if (targets.length === 0) return ''
  const word = (/** @type {boolean | undefined} */ holds) => (holds ? 'holds' : 'misses')
  const lines = targets.map(({ what, proxy, limit, stretch, measured, holds, holdsStretch }) => [
    what,
    proxy,
    measured === undefined ? '' : short(measured.median),
    measured === undefined ? '' : `${short(measured.low)} - ${short(measured.high)}`,
    limit,
    word(holds),
    stretch === '' || holdsStretch === undefined ? stretch : `${stretch} ${word(holdsStretch)}`,
  ])
  return aligned(['target', 'door', 'median', '90 % of rounds', 'asked', '', 'stretch'], lines)
}

/** @param {import('./bench.js').Skipped} skipped */
function skippedLine({ proxy, unit, reason }) {
  const what = [proxy, unit].filter((part) => part !== undefined).join(' in ')
  // Node.js prints where an error was thrown before it prints the error.
  const lines = reason.split('\n')
  const thrown = lines.find((line, at) => at > 0 && /^\w*Error\b/.test(line))
  return `skipped: ${what}: ${lines.slice(0, 2).join(' ')}${thrown === undefined ? '' : ` ${thrown}`}`.slice(0, 400)
}
