/** `npm run bench`: see docs/guides/bench.md. Measures and reports; never fails because a figure is bad. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compile, measureUnit, startProxy, startUpstream, stopProxies } from './bench.js'
import { readOptions, usage } from './options.js'
import { stopAll } from './processes.js'
import { proxies } from './proxies.js'
import { rowsOf, tableOf } from './table.js'
import { units } from './units.js'

/** @typedef {import('./bench.js').Sample} Sample */
/** @typedef {import('./bench.js').Skipped} Skipped */

const print = (/** @type {string} */ text) => void process.stdout.write(`${text}\n`)
const progress = (/** @type {string} */ text) => void process.stderr.write(process.stderr.isTTY ? `\r\u001B[K${text}` : `${text}\n`)

const folder = mkdtempSync(join(tmpdir(), 'plimsoll-bench-'))
process.on('exit', () => {
  stopAll()
  rmSync(folder, { recursive: true, force: true })
})
process.on('SIGINT', () => process.exit(130))
process.on('SIGTERM', () => process.exit(143))

const options = readOptions(process.argv.slice(2))
if (options === undefined) print(usage)
else await run(options)
process.exit()

/** @param {import('./options.js').Options} options */
async function run(options) {
  await compile(folder)
  const upstreamPort = await startUpstream(folder)
  /** @type {Skipped[]} */
  const skipped = []
  const running = []
  for (const proxy of proxies.filter(({ name }) => options.proxies.includes(name))) {
    try {
      running.push(await startProxy(proxy, { folder, upstreamPort }))
    } catch (error) {
      skipped.push({ proxy: proxy.name, reason: error instanceof Error ? error.message : String(error) })
    }
  }
  /** @type {Sample[]} */
  const samples = []
  for (const unit of units.filter(({ name }) => options.units.includes(name))) {
    const result = await measureUnit(unit, running, { ...options, isFirst: samples.length === 0, tell: progress })
    samples.push(...result.samples)
    skipped.push(...result.skipped)
  }
  await stopProxies(running)
  progress('')
  const rows = rowsOf(samples)
  print(tableOf(rows))
  for (const { proxy, unit, reason } of skipped) print(`skipped ${proxy}${unit === undefined ? '' : ` in ${unit}`}: ${reason}`)
  const results = fileURLToPath(new URL('results/', import.meta.url))
  mkdirSync(results, { recursive: true })
  writeFileSync(join(results, 'latest.json'), `${JSON.stringify({ options, rows, skipped, samples }, null, 2)}\n`)
}
