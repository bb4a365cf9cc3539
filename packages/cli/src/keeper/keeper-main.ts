/**
 * The keeper: holds the listening sockets (never polls them), starts the balancer, and starts it again when it crashes.
 * argv: path of the boot file. The launcher listens on the message channel until it lets go.
 */
import { rmSync } from 'node:fs'
import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { isLbError, messageOf, statePaths, type StatePaths } from '@plimsoll/core/keeper'
import { copiesOf, readBoot, type Boot, type KeeperMessage, type LauncherMessage } from './boot.js'
import { clearBootFiles } from './clear-boot-files.js'
import { takeTopology } from './take-topology.js'
import { createRestartBudget } from './restarts.js'

/** The balancer's exit code for a topology that cannot start at all; starting it again would change nothing. */
const EXIT_CANNOT_START = 2

/**
 * How V8 keeps a balancer's memory:
 * - A young generation of 16 MB from the start. Each of its collections, 1 ms beside 6,000 streams, falls into somebody's request: with 4 MB into one of a hundred, and p99
 *   is theirs. It is 25 MB more in a balancer that is busy, and no difference to the CPU of a request (docs/decisions/2026-11-22-goes-ahead.md).
 * - Streams that stay make V8 believe that all requests will, and it puts what they allocate among the old objects at once, until a full collection. Measured beside
 *   5,000 idle and 1,000 slow streams, 500 other requests a second, after a minute: 365 MiB so, 220 without; a collection of the young ones 2.2 ms so, 1.3 without.
 * - One thread collects so little as fast as several do, and no other core is asked to help.
 *
 * Not `--heap-growing-percent=50`: it holds those 220 MiB at 205 for good, but full collections then come twice a second under full load, and P95 is never under 2 ms.
 */
const BALANCER_FLAGS = [
  '--min-semi-space-size=16',
  '--max-semi-space-size=16',
  '--no-allocation-site-pretenuring',
  '--no-parallel-scavenge',
]

/**
 * glibc gives each of V8's compiling threads memory of its own and keeps what they have freed: 23 MB after a burst. With so few such places the others
 * use it again. Measured with 5,000 idle and 1,000 slow streams: 25 MB less, the same CPU. Elsewhere nobody reads it.
 */
function memoryPlaces({ threads }: Boot): NodeJS.ProcessEnv {
  return process.env['MALLOC_ARENA_MAX'] === undefined ? { MALLOC_ARENA_MAX: String(threads + 2), LB_ARENAS: 'own' } : {}
}

const bootPath = process.argv[2] ?? ''
const budget = createRestartBudget()
let balancer: ChildProcess | undefined
let stopping = false

function tellLauncher(message: KeeperMessage): void {
  if (process.connected) process.send?.(message, () => undefined)
}

function startBalancer(boot: Boot, release: () => void): void {
  const main = fileURLToPath(new URL('./balancer-main.js', import.meta.url))
  const child = spawn(process.execPath, [...process.execArgv, ...BALANCER_FLAGS, main, bootPath], {
    env: { ...process.env, ...memoryPlaces(boot) },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...boot.sockets.flatMap((socket) => Array<number>(copiesOf(boot)).fill(socket.fd))],
  })
  balancer = child
  child.on('message', (message: KeeperMessage) => tellLauncher(message))
  child.on('error', (error) => log('error', 'keeper.spawn_failed', { error: error.message }))
  child.on('exit', (code, signal) => afterExit(boot, release, code, signal))
}

function afterExit(boot: Boot, release: () => void, code: number | null, signal: NodeJS.Signals | null): void {
  if (stopping || code === 0 || code === EXIT_CANNOT_START) return finish(release, code ?? 1)
  const plan = budget.crashed(performance.now())
  log('error', 'keeper.balancer_died', { code, signal, restartInMs: plan.giveUp ? null : plan.waitMs })
  if (plan.giveUp) {
    tellLauncher({ type: 'refused', code: 'LB_CRASH_LOOP', message: 'the balancer crashed again and again and is not started any more' })
    return finish(release, 1)
  }
  setTimeout(() => (stopping ? finish(release, 0) : startBalancer(boot, release)), plan.waitMs)
}

function finish(release: () => void, code: number): void {
  rmSync(bootPath, { force: true })
  release()
  process.exitCode = code
  if (process.connected) process.disconnect?.()
}

function passSignal(): void {
  stopping = true
  balancer?.kill('SIGTERM')
}

function log(level: string, event: string, facts: Record<string, unknown>): void {
  process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), level, event, ...facts })}\n`)
}

/** While the launcher holds the channel, losing it means that its terminal is gone: drain and stop. A detached keeper is let go on purpose. */
function followLauncher(): void {
  let detached = false
  process.on('message', (message: LauncherMessage) => {
    detached ||= message.type === 'detach'
    if (detached) process.disconnect?.()
  })
  process.on('disconnect', () => {
    if (!detached) passSignal()
  })
}

async function main(): Promise<void> {
  const boot = readBoot(bootPath)
  const paths: StatePaths = statePaths(boot.name)
  followLauncher()
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, passSignal)
  const lock = await takeTopology(boot.name, paths)
  clearBootFiles(paths.runtimeDir, [bootPath, boot.topologyPath])
  startBalancer(boot, () => {
    rmSync(boot.topologyPath, { force: true })
    lock.release()
  })
}

main().catch((error: unknown) => {
  const hint = isLbError(error) ? error.hint : undefined
  tellLauncher({
    type: 'refused',
    code: isLbError(error) ? error.code : 'LB_BUG',
    message: messageOf(error),
    ...(hint === undefined ? {} : { hint }),
  })
  log('error', 'keeper.refused', { error: messageOf(error) })
  finish(() => undefined, 1)
})
