/** Child processes of the bench: each pinned to a core, in a group of its own, and none outlives the run. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, connect } from 'node:net'
import { getPriority } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'

/** @typedef {import('node:child_process').ChildProcess} ChildProcess */
/** @typedef {{ cores: string, env?: NodeJS.ProcessEnv }} Place */

/** @type {Set<ChildProcess>} */
const running = new Set()

/**
 * Starts a program on the cores it is given. What it says on standard error is kept for when it fails.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @param {Place} place
 */
export function start(program, args, { cores, env = {} }) {
  const child = spawn('taskset', ['-c', cores, program, ...args], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  goAhead(child.pid)
  let said = ''
  let wrote = ''
  child.stderr.on('data', (text) => void (said = (said + String(text)).slice(-4000)))
  child.stdout.on('data', (text) => void (wrote = (wrote + String(text)).slice(-65_536)))
  running.add(child)
  child.once('exit', () => running.delete(child))
  child.once('error', () => running.delete(child))
  return { child, said: () => said.trim(), wrote: () => wrote }
}

/**
 * Linux shares a core among sessions first, and only then by priority among the processes of one; each child is a session of its own.
 *
 * @param {number | undefined} pid
 */
function goAhead(pid) {
  const priority = getPriority()
  if (priority === 0 || pid === undefined) return
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(priority))
  } catch {
    // A kernel without such groups.
  }
}

/** @typedef {ReturnType<typeof start>} Started */

/**
 * Runs a program to its end, at most `withinMs`.
 *
 * @param {Started} started
 * @param {number} withinMs
 * @returns {Promise<string>} what it wrote
 */
export async function finish(started, withinMs) {
  const { child } = started
  const late = setTimeout(() => killGroup(child, 'SIGKILL'), withinMs)
  if (!hasEnded(started)) await once(child, 'close')
  clearTimeout(late)
  if (child.exitCode !== 0)
    throw new Error(`${child.spawnargs.slice(3, 5).join(' ')} ended with ${child.exitCode ?? child.signalCode}: ${started.said()}`)
  return started.wrote()
}

/** @param {Started} started */
export const hasEnded = ({ child }) => child.exitCode !== null || child.signalCode !== null

/** @param {Started} started */
export async function stop(started) {
  const { child } = started
  if (hasEnded(started)) return
  const ended = once(child, 'exit')
  killGroup(child, 'SIGTERM')
  const late = setTimeout(() => killGroup(child, 'SIGKILL'), 1000)
  await ended
  clearTimeout(late)
  killGroup(child, 'SIGKILL')
}

/** For every way out of the program, Ctrl-C too. */
export function stopAll() {
  for (const child of running) killGroup(child, 'SIGKILL')
}

/**
 * @param {ChildProcess} child
 * @param {NodeJS.Signals} signal
 */
function killGroup(child, signal) {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // The whole group is gone already.
  }
}

/** @returns {Promise<number>} */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}

/**
 * Waits until something takes connections at the port.
 *
 * @param {number} port
 * @param {Started} started
 */
export async function untilOpen(port, started) {
  const deadline = Date.now() + 15_000
  while (Date.now() < deadline) {
    if (hasEnded(started)) throw new Error(`ended with ${started.child.exitCode ?? started.child.signalCode}: ${started.said()}`)
    const socket = connect(port, '127.0.0.1')
    const isOpen = await Promise.race([once(socket, 'connect').then(() => true), once(socket, 'error').then(() => false)]).catch(
      () => false,
    )
    socket.destroy()
    if (isOpen) return
    await pause(50)
  }
  throw new Error(`did not listen within 15 s: ${started.said()}`)
}
