/** `npm run bench:routing`: strategies against a published study and against each other, in virtual time. Exits 1 when a target is missed. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { machine } from './machine.js'
import { readOptions, usage } from './routing-options.js'
import { contenderOf, faulty, judged, table, unseen } from './routing-parts.js'
import { Runs } from './routing-runs.js'

const results = fileURLToPath(new URL('results/', import.meta.url))
const measures = { table, targets: judged, faults: faulty, blind: unseen }

const print = (/** @type {string} */ text) => void process.stdout.write(`${text}\n`)
const progress = (/** @type {string} */ text) => void (process.stderr.isTTY && process.stderr.write(`\r\u001B[K${text}`))

process.exitCode = main()

function main() {
  try {
    const options = readOptions(process.argv.slice(2))
    if (options === undefined) print(usage)
    return options === undefined ? 0 : bench(options)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}\n`)
    return 2
  }
}

/** @param {import('./routing-options.js').Options} options */
function bench({ quick, blind, contender: name, only, json }) {
  const runs = new Runs(progress)
  const contender = contenderOf(name)
  const parts = Object.entries(measures).flatMap(([part, measure]) => {
    if (!only.includes(part)) return []
    const done = measure({ runs, contender, quick, blind })
    if (!json) print(`\n## ${done.title}\n\n${done.text}`)
    return [{ part, ...done }]
  })
  progress('')
  const missed = parts.flatMap((part) => part.missed)
  const facts = machine()
  const speed = `${runs.requests.toLocaleString('en')} requests simulated in ${runs.seconds.toFixed(0)} s of one core: ${Math.round(runs.requests / Math.max(1e-3, runs.seconds)).toLocaleString('en')} a second.`
  const verdict =
    missed.length === 0 ? 'No target is missed.' : `Missed, ${missed.length}:\n\n${missed.map((each) => `- ${each}`).join('\n')}`
  const data = { machine: facts, quick, blind, contender, requests: runs.requests, seconds: runs.seconds, missed, parts }
  print(json ? JSON.stringify(data, null, 2) : `\n## Verdict\n\n${verdict}\n\n${speed}`)
  if (!quick && only.length === Object.keys(measures).length) write(data, parts, `${verdict}\n\n${speed}`, json)
  return missed.length === 0 ? 0 : 1
}

/**
 * @param {object} data
 * @param {readonly import('./routing-parts.js').Part[]} parts
 * @param {string} verdict
 * @param {boolean} json
 */
function write(data, parts, verdict, json) {
  const where = Object.entries(machine()).map(([fact, value]) => `${fact} ${value}`)
  const text = [
    '# The last run of the routing bench',
    where.join(', '),
    ...parts.map((part) => `## ${part.title}\n\n${part.text}`),
    `## Verdict\n\n${verdict}`,
  ].join('\n\n')
  mkdirSync(results, { recursive: true })
  writeFileSync(join(results, 'routing.md'), `${text}\n`)
  writeFileSync(join(results, 'routing.json'), `${JSON.stringify(data, null, 2)}\n`)
  if (!json) print('\nwritten: test/bench/results/routing.md, routing.json')
}
