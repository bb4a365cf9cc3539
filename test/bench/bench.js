/** One run: upstream and proxies are started once, then every unit goes round by round over all proxies, so that noise hits them alike. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { processTree, untilIdle } from './accounting.js'
import { finish, freePort, hasEnded, start, stop, untilOpen } from './processes.js'
import { coresFor, missing, openFileLimit, pathOf } from './tools.js'

/** @typedef {import('./proxies.js').Proxy} Proxy */
/** @typedef {import('./units.js').Unit} Unit */
/** @typedef {{ unit: string, proxy: string, round: number, figures: import('./units.js').Figures, raw: unknown }} Sample */
/** @typedef {{ proxy?: string, unit?: string, reason: string }} Skipped */
/** @typedef {{ folder: string, upstreamPort: number, upstreamTree: readonly number[], nodeFlags: readonly string[] }} Place */
/** @typedef {import('./loads.js').Target & { proxy: Proxy, started: import('./processes.js').Started | undefined }} Running */

/** @param {string} folder */
export async function compile(folder) {
  for (const name of ['upstream', 'sse-client']) {
    const source = fileURLToPath(new URL(`native/${name}.c`, import.meta.url))
    await finish(start(pathOf('gcc') ?? 'gcc', ['-O2', '-o', join(folder, name), source], { cores: coresFor.load }), 60_000)
  }
}

/**
 * @param {string} folder
 * @param {readonly string[]} nodeFlags of our own processes
 * @returns {Promise<Place>}
 */
export async function startUpstream(folder, nodeFlags = []) {
  const upstreamPort = await freePort()
  const started = start(join(folder, 'upstream'), [String(upstreamPort)], { cores: coresFor.load })
  await untilOpen(upstreamPort, started)
  return { folder, upstreamPort, upstreamTree: [Number(started.child.pid)], nodeFlags }
}

/**
 * @param {Proxy} proxy
 * @param {Place} place
 * @returns {Promise<Running>}
 */
export async function startProxy(proxy, { folder, upstreamPort, nodeFlags }) {
  const scheme = proxy.scheme ?? 'http'
  if (proxy.command === undefined) return { proxy, started: undefined, folder, scheme, port: upstreamPort, headers: [], tree: [] }
  const lacks = missing(proxy.needs ?? [])
  if (lacks !== undefined) throw new Error(lacks)
  const setting = { folder, upstreamPort, nodeFlags, port: await freePort() }
  const { program, args, env = {} } = proxy.command(setting)
  const started = start(program, args, { cores: proxy.cores ?? coresFor.proxy, env })
  try {
    await untilOpen(setting.port, started)
  } catch (error) {
    await stop(started)
    throw error
  }
  const tree = processTree(Number(started.child.pid))
  return { proxy, started, folder, scheme, port: setting.port, headers: proxy.headers?.(setting) ?? [], tree }
}

/** @param {Running} running */
export async function stopProxy({ started }) {
  if (started !== undefined) await stop(started)
}

/**
 * What a proxy said when it ended by itself.
 *
 * @param {Running} running
 */
function endOf({ started }) {
  if (started === undefined || !hasEnded(started)) return undefined
  return `its process ended (${started.child.exitCode ?? started.child.signalCode}): ${started.said()}`
}

/**
 * A proxy that did not survive is started and warmed up again.
 *
 * @param {Unit} unit
 * @param {Running} running
 * @param {Place & { warmUp: number }} plan
 */
async function revive(unit, running, plan) {
  if (endOf(running) === undefined) return
  Object.assign(running, await startProxy(running.proxy, plan))
  if (!unit.isFresh) await unit.measure(running, plan.warmUp)
}

/**
 * Why this machine cannot measure the unit.
 *
 * @param {Unit} unit
 */
export function obstacleTo(unit) {
  const files = openFileLimit()
  if ((unit.openFiles ?? 0) > files) return `needs ulimit -n ${unit.openFiles}; it is ${files}`
  return unit.load === 'requests' ? missing(['wrk']) : undefined
}

/**
 * @param {Unit} unit
 * @param {readonly Running[]} all
 * @param {Place & { rounds: number, seconds: number, warmUp: number, tell: (line: string) => void }} plan
 */
export async function measureUnit(unit, all, plan) {
  /** @type {Sample[]} */
  const samples = []
  /** @type {Map<string, Skipped>} */
  const skipped = new Map()
  const rounds = Math.min(plan.rounds, unit.mostRounds ?? plan.rounds)
  const taking = all.filter(({ proxy }) => proxy.units?.includes(unit.name) ?? true)
  for (let round = unit.isFresh ? 1 : 0; round <= rounds; round++) {
    plan.tell(`${unit.name}: ${round === 0 ? 'warm-up' : `round ${round} of ${rounds}`}`)
    // Every other round backwards, so that nobody is always measured after the same neighbour.
    for (const each of round % 2 === 0 ? taking.toReversed() : taking) {
      const { name } = each.proxy
      if (skipped.has(name)) continue
      try {
        await revive(unit, each, plan)
        const { figures, raw } = await measureOnce(unit, each, { ...plan, seconds: round === 0 ? plan.warmUp : plan.seconds })
        if (round > 0) samples.push({ unit: unit.name, proxy: name, round, figures, raw })
      } catch (error) {
        // Somebody else's signal costs this round; a proxy that ends by itself, or fails, is out.
        const { signalCode } = each.started?.child ?? { signalCode: null }
        const reason = endOf(each) ?? (error instanceof Error ? error.message : String(error))
        if (signalCode === null) skipped.set(name, { proxy: name, unit: unit.name, reason })
        else plan.tell(`${name} lost round ${round} of ${unit.name}: ${reason}\n`)
      }
      await untilIdle([...each.tree, ...plan.upstreamTree])
    }
  }
  return { samples, skipped: [...skipped.values()] }
}

/**
 * @param {Unit} unit
 * @param {Running} running
 * @param {Place & { seconds: number }} plan
 */
async function measureOnce(unit, running, plan) {
  if (!unit.isFresh) return unit.measure(running, plan.seconds)
  const fresh = await startProxy(running.proxy, plan)
  try {
    return await unit.measure(fresh, plan.seconds)
  } catch (error) {
    throw new Error(endOf(fresh) ?? (error instanceof Error ? error.message : String(error)), { cause: error })
  } finally {
    await stopProxy(fresh)
  }
}
