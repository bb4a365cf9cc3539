/** `npm run bench`: see docs/guides/bench.md. Measures and reports; never fails because a figure is bad. */
import { mkdtempSync, rmSync } from 'node:fs'
import { setPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { claimMachine, releaseMachine } from './alone.js'
import { compile, measureUnit, obstacleTo, startProxy, startUpstream, stopProxy } from './bench.js'
import { readOptions, usage } from './options.js'
import { stopAll } from './processes.js'
import { proxies } from './proxies.js'
import { report } from './report.js'
import { missing } from './tools.js'
import { units } from './units.js'

/** @typedef {import('./bench.js').Sample} Sample */
/** @typedef {import('./bench.js').Skipped} Skipped */

const print = (/** @type {string} */ text) => void process.stdout.write(`${text}\n`)
const progress = (/** @type {string} */ text) => void process.stderr.write(process.stderr.isTTY ? `\r\u001B[K${text}` : `${text}\n`)

const options = readOptionsOrLeave()
const isAlone = options !== undefined && claimMachine()
const folder = mkdtempSync(join(tmpdir(), 'plimsoll-bench-'))
process.on('exit', () => {
  stopAll()
  rmSync(folder, { recursive: true, force: true })
  if (isAlone) releaseMachine()
})
process.on('SIGINT', () => process.exit(130))
process.on('SIGTERM', () => process.exit(143))
process.on('SIGHUP', () => process.exit(129))

const lacks = missing(['taskset', 'gcc'])
if (options === undefined) print(usage)
else if (!isAlone) print('nothing is measured: another bench is running on this machine, and each would measure the other')
else if (lacks === undefined) await run(options)
else print(`nothing can be measured: ${lacks}`)
process.exit()

function readOptionsOrLeave() {
  try {
    return readOptions(process.argv.slice(2))
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}\n`)
    return process.exit(2)
  }
}

/** @param {import('./options.js').Options} options */
async function run(options) {
  if (options.ahead) setPriority(-15)
  await compile(folder)
  const place = await startUpstream(folder, options.nodeFlags)
  /** @type {Skipped[]} */
  const skipped = []
  const running = await startProxies(place, options.proxies, skipped)
  /** @type {Sample[]} */
  const samples = []
  for (const unit of units.filter(({ name }) => options.units.includes(name))) {
    const obstacle = obstacleTo(unit)
    if (obstacle !== undefined) {
      skipped.push({ unit: unit.name, reason: obstacle })
      continue
    }
    const warmUp = samples.length === 0 ? 3 : 2
    const result = await measureUnit(unit, running, { ...options, ...place, warmUp, tell: progress })
    samples.push(...result.samples)
    skipped.push(...result.skipped)
  }
  await Promise.all(running.map(stopProxy))
  progress('')
  print(report({ options, samples, skipped }))
}

/**
 * @param {import('./bench.js').Place} place
 * @param {readonly string[]} names
 * @param {Skipped[]} skipped
 */
async function startProxies(place, names, skipped) {
  const running = []
  for (const proxy of proxies.filter(({ name }) => names.includes(name))) {
    try {
      running.push(await startProxy(proxy, place))
    } catch (error) {
      skipped.push({ proxy: proxy.name, reason: error instanceof Error ? error.message : String(error) })
    }
  }
  return running
}
