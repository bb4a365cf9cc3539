/** What is asked of the data path. A target holds when the median of the rounds does. */
import { ratioTo, valueOf, yardstick } from './table.js'
import { coresFor } from './tools.js'
import { latencyLevels } from './units.js'

/** @typedef {import('./bench.js').Sample} Sample */
/** @typedef {import('./statistics.js').Summary} Summary */
/** @typedef {{ what: string, proxy: string, limit: string, stretch: string, measured: Summary | undefined, holds: boolean | undefined, holdsStretch: boolean | undefined }} Verdict */

const listen = 'lb-listen'
const handler = 'lb-handler'
const gateway = 'portkey'

/** A core that is busier than this queues, and its latency says how long the queue is. */
const calm = 0.4

/**
 * @param {readonly Sample[]} samples
 * @returns {readonly Verdict[]}
 */
export function verdicts(samples) {
  const toNginx = (/** @type {string} */ figure, /** @type {string} */ proxy) => ratioTo(yardstick, samples, figure, proxy)
  const gatewayOverUs = (/** @type {string} */ figure) => ratioTo(listen, samples, figure, gateway)
  return [
    most('CPU per 1 KB request, to nginx', listen, toNginx('json1k', listen), 1.4, 1.2),
    most('CPU per 1 KB request, to nginx', handler, toNginx('json1k', handler), 2.1),
    least('CPU per 1 KB request, portkey to us', listen, gatewayOverUs('json1k'), 20),
    most('CPU per SSE event, to nginx', listen, toNginx('sse-paced', listen), 1.4, 1.2),
    most('CPU per SSE event, to nginx', handler, toNginx('sse-paced', handler), 1.6),
    least('CPU per SSE event, portkey to us', listen, gatewayOverUs('sse-paced'), 3),
    ...['body64k', 'body512k'].flatMap((figure) => [
      most(`CPU per ${figure.slice(4, -1)} KB body, to nginx`, listen, toNginx(figure, listen), 1.8, 1.4),
      most(`CPU per ${figure.slice(4, -1)} KB body, to nginx`, handler, toNginx(figure, handler), 2.7),
    ]),
    ...latencyVerdicts(samples, listen),
    ...latencyVerdicts(samples, handler)
      .slice(1, 2)
      .map((each) => ({ ...each, stretch: '' })),
    most('KB per open stream', listen, valueOf(samples, 'memory', listen), 12, 9),
    most('KB per open stream', handler, valueOf(samples, 'memory', handler), 26),
    least('requests per second, P95 under 2 ms', listen, valueOf(samples, 'rps', listen), 20_000, 30_000),
    least('throughput of two data threads, to one', 'lb-workers-2', twoThreads(samples), 1.8),
  ]
}

/**
 * Two threads on one core are no faster than one.
 *
 * @param {readonly Sample[]} samples
 */
function twoThreads(samples) {
  return coresFor.count < 4 ? undefined : ratioTo(listen, samples, 'json1k.per-second', 'lb-workers-2')
}

/**
 * At the highest of the levels that leave the core calm.
 *
 * @param {readonly Sample[]} samples
 * @param {string} proxy
 */
function latencyVerdicts(samples, proxy) {
  const level = latencyLevels.findLast((each) => (valueOf(samples, `latency-${each}.busy`, proxy)?.median ?? 1) < calm)
  const p50 = `latency-${level}-p50`
  const p99 = `latency-${level}-p99`
  const where = level === undefined ? '' : ` (${level} streams)`
  return [
    most(`p50 of an event's way${where}, to nginx`, proxy, ratioTo(yardstick, samples, p50, proxy), 1.1),
    most(`p99 of an event's way${where}, to nginx`, proxy, ratioTo(yardstick, samples, p99, proxy), 3, 1.5),
    most(`p99 of an event's way${where}, us`, proxy, valueOf(samples, p99, proxy), 2000),
  ]
}

/**
 * @param {string} what
 * @param {string} proxy
 * @param {Summary | undefined} measured
 * @param {number} limit
 * @param {number} [stretch]
 * @returns {Verdict}
 */
function most(what, proxy, measured, limit, stretch) {
  return verdict({ what, proxy, measured, limit, stretch, sign: '<=' })
}

/**
 * @param {string} what
 * @param {string} proxy
 * @param {Summary | undefined} measured
 * @param {number} limit
 * @param {number} [stretch]
 * @returns {Verdict}
 */
function least(what, proxy, measured, limit, stretch) {
  return verdict({ what, proxy, measured, limit, stretch, sign: '>=' })
}

/**
 * @param {{ what: string, proxy: string, measured: Summary | undefined, limit: number, stretch: number | undefined, sign: '<=' | '>=' }} target
 * @returns {Verdict}
 */
function verdict({ what, proxy, measured, limit, stretch, sign }) {
  const holds = (/** @type {number | undefined} */ bound) =>
    bound === undefined || measured === undefined ? undefined : sign === '<=' ? measured.median <= bound : measured.median >= bound
  return {
    what,
    proxy,
    measured,
    limit: `${sign} ${limit.toLocaleString('en')}`,
    stretch: stretch === undefined ? '' : `${sign} ${stretch.toLocaleString('en')}`,
    holds: holds(limit),
    holdsStretch: holds(stretch),
  }
}
