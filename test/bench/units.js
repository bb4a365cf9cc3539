/** What is measured. A unit is one load; it yields one figure or several for each proxy and round. */
import { memoryBytes } from './accounting.js'
import { requests, streams } from './loads.js'

/** @typedef {import('./loads.js').Target} Target */
/** @typedef {Readonly<Record<string, number>>} Figures a name with a dot is for the raw results and the targets, not for the table */
/**
 * @typedef {object} Unit
 * @property {string} name
 * @property {string} what one line for the reader
 * @property {'requests' | 'streams'} load
 * @property {(target: Target, seconds: number) => Promise<{ figures: Figures, raw: unknown }>} measure
 * @property {boolean} [isFresh] each measurement gets a process of its own, that has done nothing before
 * @property {number} [mostRounds]
 * @property {number} [openFiles] file descriptors that the proxy needs
 */

/**
 * Share of the window in which the proxy was ready to run but something else had its core.
 *
 * @param {import('./loads.js').Window} window
 */
const waited = ({ waitedNs, seconds }) => waitedNs / 1e9 / seconds

/**
 * CPU time of the proxy for each request, and how many it answered in a second.
 *
 * @param {string} name
 * @param {number} body
 * @param {number} connections
 * @returns {Unit}
 */
const perRequest = (name, body, connections) => ({
  name,
  what: `CPU us per request: ${body} bytes there, 1 KB back, ${connections} connections`,
  load: 'requests',
  async measure(target, seconds) {
    const raw = await requests(target, { connections, seconds, body })
    const perSecond = raw.done / raw.seconds
    return { figures: { [name]: raw.cpuNs / 1000 / raw.done, [`${name}.per-second`]: perSecond, [`${name}.waited`]: waited(raw) }, raw }
  },
})

/**
 * CPU time of the proxy for each event of a stream.
 *
 * @param {string} name
 * @param {number} connections
 * @param {number} intervalMs
 * @returns {Unit}
 */
const perChunk = (name, connections, intervalMs) => ({
  name,
  what: `CPU us per event: ${connections} streams of 64 events, ${intervalMs === 0 ? 'as fast as they come' : `one each ${intervalMs} ms`}`,
  load: 'streams',
  async measure(target, seconds) {
    const raw = await streams(target, { connections, seconds, mode: `bench-sse-${intervalMs}x64` })
    return { figures: { [name]: raw.cpuNs / 1000 / raw.done, [`${name}.waited`]: waited(raw) }, raw }
  },
})

export const latencyLevels = [100, 300, 500]

/** @type {Unit} */
const latency = {
  name: 'latency',
  what: `us from upstream to client of an event, one each 10 ms in ${latencyLevels.join(', ')} streams`,
  load: 'streams',
  async measure(target, seconds) {
    /** @type {Record<string, number>} */
    const figures = {}
    const raw = []
    for (const connections of latencyLevels) {
      const window = await streams(target, { connections, seconds: Math.max(1, seconds / 2), mode: 'bench-sse-10x64' })
      figures[`latency-${connections}-p50`] = window.latencyUs.p50
      figures[`latency-${connections}-p99`] = window.latencyUs.p99
      figures[`latency-${connections}.busy`] = window.cpuNs / 1e9 / window.seconds
      figures[`latency-${connections}.waited`] = waited(window)
      raw.push({ connections, ...window })
    }
    return { figures, raw }
  },
}

const connectionLevels = [8, 16, 24, 32, 40, 48, 64, 80, 96, 112, 128]
const mostP95Us = 2000

/** More connections mean more requests and longer waits, so the best level that still keeps the limit is found by halving. */
/** @type {Unit} */
const rps = {
  name: 'rps',
  what: 'most requests per second (1 KB) of one core at which 95 % are answered within 2 ms',
  load: 'requests',
  async measure(target) {
    const raw = []
    let best = 0
    let low = 0
    let high = connectionLevels.length - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      const connections = connectionLevels[middle] ?? 1
      const window = await requests(target, { connections, seconds: 1, body: 1024 })
      raw.push({ connections, ...window })
      if (window.latencyUs.p95 < mostP95Us) {
        best = Math.max(best, window.done / window.seconds)
        low = middle + 1
      } else high = middle - 1
    }
    return { figures: { rps: best }, raw }
  },
}

const openStreams = 5000

/** @type {Unit} */
const memory = {
  name: 'memory',
  what: `KB for each of ${openStreams} open streams with one event a second, over what the process took before them`,
  load: 'streams',
  isFresh: true,
  mostRounds: 3,
  openFiles: 2 * openStreams + 500,
  async measure(target) {
    // Code that is loaded or compiled at the first request belongs to the base.
    await streams(target, { connections: 20, seconds: 1, mode: 'bench-sse-1x64' })
    const base = memoryBytes(target.tree)
    let open = base
    const load = { connections: openStreams, seconds: 2, mode: 'bench-sse-1000x600', ramp: 1000, settle: 3 }
    const raw = await streams(target, load, () => void (open = memoryBytes(target.tree)))
    return { figures: { memory: (open - base) / 1024 / openStreams, 'memory-base': base / 1024 / 1024 }, raw: { base, open, ...raw } }
  },
}

/** @type {readonly Unit[]} */
export const units = [
  perRequest('json1k', 1024, 64),
  perChunk('sse-paced', 200, 10),
  perChunk('sse-unpaced', 32, 0),
  perRequest('body64k', 65_536, 32),
  perRequest('body512k', 524_288, 8),
  latency,
  rps,
  memory,
]
