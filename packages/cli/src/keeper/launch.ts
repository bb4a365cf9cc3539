import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { getCompileCacheDir } from 'node:module'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LbError, servedUrl, statePaths, type StatePaths, type Topology } from '@plimsoll/core'
import { FIRST_SOCKET_FD, type Boot, type KeeperMessage, type LauncherMessage, type LeftoverPolicy } from './boot.js'
import { makeWritable } from './make-writable.js'
import { openSockets, type OpenOptions, type OpenSocket } from './open-sockets.js'

export interface LaunchOptions {
  readonly topology: Topology
  /** Engine name to the absolute path of its plugin module. */
  readonly engineModules: Readonly<Record<string, string>>
  /** Strategy name to the absolute path of its module. */
  readonly strategyModules: Readonly<Record<string, string>>
  /** Metric name to the absolute path of its module. */
  readonly metricModules: Readonly<Record<string, string>>
  /** Take the next free port when the declared one is taken. */
  readonly movePort: boolean
  readonly leftovers: LeftoverPolicy
  /** Who holds a port that is taken, where that is another topology. */
  readonly holderOf: OpenOptions['holderOf']
}

/** A balancer that listens. It stops when this process ends, unless `detach` was called. */
export interface LaunchedBalancer {
  /** Process id of the balancer. */
  readonly pid: number
  readonly urls: readonly string[]
  readonly logPath: string
  /** Lets it live on after this process. */
  detach(): void
  /** Resolves when the keeper has ended, with its exit code. */
  readonly ended: Promise<number>
}

/** Opens the sockets, starts keeper and balancer, and resolves when the gateway listens; nodes may still be loading. */
export async function launchBalancer(options: LaunchOptions): Promise<LaunchedBalancer> {
  const paths = statePaths(options.topology.name)
  makeWritable(paths.runtimeDir, 'XDG_RUNTIME_DIR')
  makeWritable(paths.logDir, 'XDG_STATE_HOME')
  const sockets = await openSockets(tcpAddresses(options.topology), { moveWhenTaken: options.movePort, holderOf: options.holderOf })
  const files = writeBoot(options, paths, sockets)
  const logPath = join(paths.logDir, 'lb.log')
  const keeper = spawnKeeper(files.bootPath, logPath, sockets)
  for (const socket of sockets) socket.close()
  const ended = new Promise<number>((resolve) => keeper.once('exit', (code) => resolve(code ?? 1)))
  try {
    const pid = await untilServing(keeper, ended, logPath)
    return { pid, urls: urlsOf(options.topology, sockets), logPath, detach: () => letGo(keeper), ended }
  } catch (error) {
    rmSync(files.bootPath, { force: true })
    rmSync(files.topologyPath, { force: true })
    throw error
  }
}

function tcpAddresses(topology: Topology): { host: string; port: number }[] {
  return topology.gateway.listen.flatMap((address) => (address.kind === 'tcp' ? [{ host: address.host, port: address.port }] : []))
}

function unixPaths(topology: Topology): string[] {
  return topology.gateway.listen.flatMap((address) => (address.kind === 'unix' ? [address.path] : []))
}

function urlsOf(topology: Topology, sockets: readonly OpenSocket[]): string[] {
  return [...sockets.map((socket) => servedUrl(socket.url, topology.gateway)), ...unixPaths(topology).map((path) => `unix:${path}`)]
}

/** One worker is the balancer's main thread: docs/decisions/2026-11-21-data-threads.md. */
function dataThreads(workers: number | 'auto'): number {
  const wanted = workers === 'auto' ? availableParallelism() : workers
  return wanted === 1 ? 0 : wanted
}

/** Named after this process: of many launchers at once, each must leave the winner's files alone. */
function writeBoot(options: LaunchOptions, paths: StatePaths, sockets: readonly OpenSocket[]): { bootPath: string; topologyPath: string } {
  const bootPath = join(paths.runtimeDir, `boot-${process.pid}.json`)
  const topologyPath = join(paths.runtimeDir, `topology-${process.pid}.json`)
  const boot: Boot = {
    v: 1,
    name: options.topology.name,
    ...(options.topology.file === undefined ? {} : { topologyFile: options.topology.file }),
    topologyPath,
    engineModules: options.engineModules,
    strategyModules: options.strategyModules,
    metricModules: options.metricModules,
    sockets: sockets.map((socket, index) => ({ fd: FIRST_SOCKET_FD + index, url: servedUrl(socket.url, options.topology.gateway) })),
    threads: dataThreads(options.topology.gateway.workers),
    unixListeners: unixPaths(options.topology),
    leftovers: options.leftovers,
  }
  writeFileSync(topologyPath, JSON.stringify(options.topology), { mode: 0o600 })
  writeFileSync(bootPath, JSON.stringify(boot), { mode: 0o600 })
  return { bootPath, topologyPath }
}

function spawnKeeper(bootPath: string, logPath: string, sockets: readonly OpenSocket[]): ChildProcess {
  const main = fileURLToPath(new URL('./keeper-main.js', import.meta.url))
  const log = openSync(logPath, 'a', 0o600)
  try {
    return spawn(process.execPath, ['--enable-source-maps', main, bootPath], {
      detached: true,
      stdio: ['ignore', log, log, 'ipc', ...sockets.map((socket) => socket.fd)],
      env: { ...compiled(), ...process.env, NODE_ENV: 'production' },
    })
  } finally {
    closeSync(log)
  }
}

/** What Node.js has compiled of keeper and balancer stays where this command keeps its own; a third of their start is compiling. */
function compiled(): NodeJS.ProcessEnv {
  const folder = getCompileCacheDir()
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: dirname(folder) }
}

function untilServing(keeper: ChildProcess, ended: Promise<number>, logPath: string): Promise<number> {
  return new Promise((resolve, reject) => {
    keeper.on('message', (message: KeeperMessage) => {
      if (message.type === 'serving') return resolve(message.pid)
      const hint = message.hint ?? `its log: ${logPath}`
      reject(new LbError(message.message, { code: message.code, source: 'operator', hint }))
    })
    keeper.once('error', reject)
    // The last message may still be on its way when the exit is seen.
    void ended.then((code) => setTimeout(() => reject(diedError(code, logPath)), 50))
  })
}

function diedError(code: number, logPath: string): LbError {
  return new LbError(`the balancer ended before it served (exit code ${code})`, {
    code: 'LB_START_FAILED',
    source: 'lb',
    hint: `its log says why: ${logPath}`,
  })
}

function letGo(keeper: ChildProcess): void {
  const message: LauncherMessage = { type: 'detach' }
  keeper.send(message, () => {
    if (keeper.connected) keeper.disconnect()
  })
  keeper.unref()
}
