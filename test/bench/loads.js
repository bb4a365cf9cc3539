/** The two load generators, on the load's core: wrk for single answers, our own C client for streams. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as pause } from 'node:timers/promises'
import { cpuNanoseconds } from './accounting.js'
import { finish, start, stop } from './processes.js'
import { coresFor, pathOf } from './tools.js'

/** @typedef {{ folder: string, port: number, scheme: string, tree: readonly number[], headers: readonly string[] }} Target */
/** @typedef {{ p50: number, p95: number, p99: number }} Percentiles */
/**
 * @typedef {object} Window What was counted between two moments, and the proxy's CPU time between the same two.
 * @property {number} done
 * @property {number} seconds
 * @property {number} cpuNs
 * @property {number} waitedNs how long the proxy's threads waited for their core
 * @property {number} errors
 * @property {string} [firstError]
 * @property {Percentiles} latencyUs
 */

const script = fileURLToPath(new URL('native/post.lua', import.meta.url))

/**
 * @param {Target} target
 * @param {{ connections: number, seconds: number, body: number }} load
 * @returns {Promise<Window>}
 */
export async function requests({ port, scheme, tree, headers }, { connections, seconds, body }) {
  const args = ['-t1', `-c${connections}`, `-d${Math.max(1, Math.round(seconds))}s`, '--timeout', '10s', '-s', script]
  const before = cpuNanoseconds(tree)
  const wrk = start(pathOf('wrk') ?? 'wrk', [...args, `${scheme}://127.0.0.1:${port}/v1/chat/completions`], {
    cores: coresFor.load,
    env: { BODY: String(body), HEADERS: headers.join('\r\n') },
  })
  const wrote = await finish(wrk, (seconds + 15) * 1000)
  const cpu = since(before, tree)
  const { requests: done, ...rest } = jsonIn(wrote)
  return checked({ done, ...cpu, ...rest })
}

/**
 * @param {Target} target
 * @param {{ connections: number, seconds: number, mode: string, ramp?: number, settle?: number }} load
 * @param {() => unknown} [atEnd] called with all streams still open
 * @returns {Promise<Window>}
 */
export async function streams({ folder, port, tree, headers }, { connections, seconds, mode, ramp = 0, settle = 0.25 }, atEnd) {
  const args = [port, connections, ramp, settle, seconds, mode, headers.map((line) => `${line}\r\n`).join('')].map(String)
  const client = start(join(folder, 'sse-client'), args, { cores: coresFor.load })
  try {
    const rampMs = ramp > 0 ? (connections / ramp) * 1000 : 0
    await untilWrote(client, 'window\n', rampMs + settle * 1000 + 30_000)
    const before = cpuNanoseconds(tree)
    await untilWrote(client, '}\n', seconds * 1000 + 10_000)
    const cpu = since(before, tree)
    atEnd?.()
    const { chunks: done, ...rest } = jsonIn(client.wrote())
    return checked({ done, ...cpu, ...rest })
  } finally {
    await stop(client)
  }
}

/**
 * @param {{ used: number, waited: number }} before
 * @param {readonly number[]} tree
 */
function since(before, tree) {
  const { used, waited } = cpuNanoseconds(tree)
  return { cpuNs: used - before.used, waitedNs: waited - before.waited }
}

/**
 * @param {import('./processes.js').Started} client
 * @param {string} text
 * @param {number} withinMs
 */
async function untilWrote(client, text, withinMs) {
  const deadline = Date.now() + withinMs
  while (!client.wrote().includes(text)) {
    if (client.child.exitCode !== null) throw new Error(`sse-client ended: ${client.said()}`)
    if (Date.now() > deadline) throw new Error(`sse-client did not get through within ${Math.round(withinMs / 1000)} s`)
    await pause(1)
  }
}

/** @param {string} wrote */
function jsonIn(wrote) {
  const line = wrote.split('\n').find((each) => each.startsWith('{'))
  if (line === undefined) throw new Error(`no result in: ${wrote.slice(-500)}`)
  return JSON.parse(line)
}

/**
 * A proxy that answers errors is fast; such a round is not a figure.
 *
 * @param {Window} window
 */
function checked(window) {
  const { done, errors, firstError } = window
  if (done > 0 && errors <= done / 1000) return window
  if (errors === 0) throw new Error('not one unit was done within the round')
  throw new Error(`${errors} errors in ${done} units${firstError ? `; the first: ${firstError}` : ''}`)
}
