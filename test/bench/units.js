/** What is measured. A unit is one load; it yields one figure or several for each proxy and round. */
import { requests, streams } from './loads.js'

/** @typedef {import('./loads.js').Target} Target */
/** @typedef {Readonly<Record<string, number>>} Figures */
/**
 * @typedef {object} Unit
 * @property {string} name
 * @property {string} what one line for the reader
 * @property {(target: Target, seconds: number) => Promise<{ figures: Figures, raw: unknown }>} measure
 */

/**
 * CPU time of the proxy for each request.
 *
 * @param {string} name
 * @param {number} body
 * @param {number} connections
 * @returns {Unit}
 */
const perRequest = (name, body, connections) => ({
  name,
  what: `CPU us per request: ${body} bytes there, 1 KB back, ${connections} connections`,
  async measure(target, seconds) {
    const raw = await requests(target, { connections, seconds, body })
    return { figures: { [name]: raw.cpuNs / 1000 / raw.done }, raw }
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
  async measure(target, seconds) {
    const raw = await streams(target, { connections, seconds, mode: `bench-sse-${intervalMs}x64` })
    return { figures: { [name]: raw.cpuNs / 1000 / raw.done }, raw }
  },
})

/** @type {readonly Unit[]} */
export const units = [
  perRequest('json1k', 1024, 64),
  perChunk('sse-paced', 200, 10),
  perChunk('sse-unpaced', 32, 0),
  perRequest('body64k', 65_536, 32),
  perRequest('body512k', 524_288, 8),
]
