/**
 * The balancer process: reads its boot file, takes the handed sockets, serves until told to stop.
 * SIGTERM drains and stops; a second one cuts what is left. Exit codes: 0 stopped as told, 2 cannot start, else a crash.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import {
  createBalancer,
  goAhead,
  isLbError,
  messageOf,
  parseResolvedTopology,
  removeState,
  rotateIfLarger,
  statePaths,
  type Balancer,
  type Logger,
  type StatePaths,
} from '@plimsoll/core'
import { readBoot, sharedSockets, type Boot, type KeeperMessage } from './boot.js'
import { importEngines } from './import-engines.js'
import { importMetrics } from './import-metrics.js'
import { importStrategies } from './import-strategies.js'
import { createLineLogger } from './line-logger.js'
import { followState } from './follow-state.js'
import { takeLeftovers } from './take-leftovers.js'

const EXIT_CANNOT_START = 2
const OWN_LOG = { maxBytes: 10 * 1024 * 1024, keep: 3 }
const LOOK_AT_LOG_MS = 30_000
const log: Logger = createLineLogger(2)

// Read before this file was: meant for this process and not for its engines.
if (process.env['LB_ARENAS'] === 'own') {
  delete process.env['LB_ARENAS']
  delete process.env['MALLOC_ARENA_MAX']
}

async function main(): Promise<void> {
  followKeeper()
  // Data threads start from this one, and go ahead with it. The keeper made a session for the two of us; each engine has one of its own.
  goAhead({ session: true })
  const boot = readBoot(process.argv[2] ?? '')
  const paths = statePaths(boot.name)
  const leftovers = await takeLeftovers(boot, paths, log)
  const topology = parseResolvedTopology(readFileSync(boot.topologyPath, 'utf8'))
  const { plugins, broken } = await importEngines(boot.engineModules)
  for (const [engine, error] of broken) log.error('balancer.plugin_does_not_load', { engine, error: error.message })
  const balancer = createBalancer({
    topology,
    engines: plugins,
    strategies: await importStrategies(boot.strategyModules),
    metrics: await importMetrics(boot.metricModules),
    log,
    logDir: paths.logDir,
    stateDir: paths.stateDir,
    leftovers,
    fetcher: async (wanted, options) => (await import('../hub/index.js')).fetchFromHub(wanted, options),
    threads: { count: boot.threads, engineModules: moduleUrls(boot, broken), strategyModules: urlsOf(boot.strategyModules) },
  })
  balancer.on('broken', () => process.exit(1))
  const follow = await followState({ balancer, boot, topology }, paths, log)
  await open(balancer, boot, paths)
  follow.write()
  stopOnSignals(balancer)
  setInterval(() => rotateOwnLog(paths), LOOK_AT_LOG_MS).unref()
  balancer.on('closed', () => {
    // Engines that were left running are the next balancer's to take over.
    if (balancer.recordedNodes().some((node) => node.process !== undefined)) follow.write()
    else removeState(paths.stateFile)
    process.exit(0)
  })
  tell({ type: 'serving', pid: process.pid })
}

function rotateOwnLog(paths: StatePaths): void {
  try {
    rotateIfLarger(join(paths.logDir, 'lb.log'), OWN_LOG)
  } catch (error) {
    log.warn('balancer.log_not_rotated', { error: messageOf(error) })
  }
}

/** Each data thread imports the plugins itself, but for those that are known not to load: their nodes take no requests. */
function moduleUrls({ engineModules }: Boot, broken: ReadonlyMap<string, unknown>): Record<string, string> {
  const loading = Object.entries(engineModules).filter(([engine]) => !broken.has(engine))
  return urlsOf(Object.fromEntries(loading))
}

function urlsOf(modules: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(modules).map(([name, path]) => [name, pathToFileURL(path).href]))
}

/** What was started is stopped again where the gateway cannot open. */
async function open(balancer: Balancer, boot: Boot, paths: StatePaths): Promise<void> {
  try {
    await balancer.start({ waitMs: 0 })
    await balancer.listenShared(sharedSockets(boot), boot.unixListeners)
    await balancer.serveControl(paths.socketPath)
  } catch (error) {
    await balancer.close({ force: true })
    removeState(paths.stateFile)
    throw error
  }
}

function stopOnSignals(balancer: Balancer): void {
  let signals = 0
  const stop = (): void => {
    signals += 1
    void balancer.close(signals === 1 ? { engines: 'stop' } : { engines: 'stop', force: true })
  }
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, stop)
}

/** Who listens on the keeper's channel is kept alive by it: a start that waits for nothing but a timer must not be the end. */
function followKeeper(): void {
  process.on('disconnect', () => log.warn('balancer.keeper_gone', { note: 'serving on; nobody would start this balancer again' }))
}

function tell(message: KeeperMessage): void {
  if (process.connected) process.send?.(message, () => undefined)
}

main().catch((error: unknown) => {
  log.error('balancer.cannot_start', { error: messageOf(error) })
  const hint = isLbError(error) ? error.hint : undefined
  tell({
    type: 'refused',
    code: isLbError(error) ? error.code : 'LB_BUG',
    message: messageOf(error),
    ...(hint === undefined ? {} : { hint }),
  })
  setTimeout(() => process.exit(EXIT_CANNOT_START), 20)
})
