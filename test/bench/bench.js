/** One run: upstream and proxies are started once, then every unit goes round by round over all proxies, so that noise hits them alike. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { processTree } from './accounting.js'
import { loadCore, proxyCore } from './loads.js'
import { finish, freePort, start, stop, untilOpen } from './processes.js'

/** @typedef {import('./proxies.js').Proxy} Proxy */
/** @typedef {import('./units.js').Unit} Unit */
/** @typedef {{ unit: string, proxy: string, round: number, figures: import('./units.js').Figures, raw: unknown }} Sample */
/** @typedef {{ proxy: string, unit?: string, reason: string }} Skipped */
/** @typedef {import('./loads.js').Target & { proxy: Proxy, started: import('./processes.js').Started }} Running */

/**
 * @param {string} folder
 */
export async function compile(folder) {
  for (const name of ['upstream', 'sse-client']) {
    const source = fileURLToPath(new URL(`native/${name}.c`, import.meta.url))
    await finish(start('gcc', ['-O2', '-o', join(folder, name), source], { core: loadCore }), 60_000)
  }
}

/**
 * @param {string} folder
 * @returns {Promise<number>} its port
 */
export async function startUpstream(folder) {
  const port = await freePort()
  await untilOpen(port, start(join(folder, 'upstream'), [String(port)], { core: loadCore }))
  return port
}

/**
 * @param {Proxy} proxy
 * @param {{ folder: string, upstreamPort: number }} place
 * @returns {Promise<Running>}
 */
export async function startProxy(proxy, { folder, upstreamPort }) {
  const setting = { folder, upstreamPort, port: await freePort() }
  const { program, args, env = {} } = proxy.command(setting)
  const started = start(program, args, { core: proxyCore, env })
  await untilOpen(setting.port, started)
  return {
    proxy,
    started,
    folder,
    port: setting.port,
    headers: proxy.headers?.(setting) ?? [],
    tree: processTree(Number(started.child.pid)),
  }
}

/**
 * @param {Unit} unit
 * @param {readonly Running[]} all
 * @param {{ rounds: number, seconds: number, isFirst: boolean, tell: (line: string) => void }} plan
 */
export async function measureUnit(unit, all, { rounds, seconds, isFirst, tell }) {
  /** @type {Sample[]} */
  const samples = []
  /** @type {Skipped[]} */
  const skipped = []
  const failed = new Set()
  for (let round = 0; round <= rounds; round++) {
    tell(`${unit.name}: ${round === 0 ? 'warm-up' : `round ${round} of ${rounds}`}`)
    // Every other round backwards, so that nobody is always measured after the same neighbour.
    for (const each of round % 2 === 0 ? all.toReversed() : all) {
      const { name } = each.proxy
      if (failed.has(name)) continue
      try {
        const { figures, raw } = await unit.measure(each, round === 0 ? Math.max(isFirst ? 3 : 1, seconds) : seconds)
        if (round > 0) samples.push({ unit: unit.name, proxy: name, round, figures, raw })
      } catch (error) {
        failed.add(name)
        skipped.push({ proxy: name, unit: unit.name, reason: error instanceof Error ? error.message : String(error) })
      }
    }
  }
  return { samples, skipped }
}

/** @param {readonly Running[]} all */
export async function stopProxies(all) {
  await Promise.all(all.map(({ started }) => stop(started)))
}
