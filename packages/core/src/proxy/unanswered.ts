import type { AttemptRecord } from '../contracts/index.js'
import { LbError } from '../errors/index.js'
import type { Labels } from './asked-headers.js'
import type { AttemptEnd } from './forward.js'

/** A bug has no name of its own. */
export function asError(thrown: unknown): LbError {
  return thrown instanceof LbError
    ? thrown
    : new LbError('lb failed on this request', { code: 'LB_BUG', source: 'lb', httpStatus: 500, cause: thrown })
}

const LOADING_RETRY_MS = 2_000
const DOWN_RETRY_MS = 5_000

/** Every node asked for a pause (429); `who` names them, the first of them may be asked again in `restMs`. */
export function nodesResting(pool: string, who: string, restMs: number): LbError {
  return new LbError(`all nodes of pool ${pool} asked for a pause${who}`, {
    code: 'LB_NODES_RESTING',
    source: 'lb',
    httpStatus: 503,
    retry: 'after-wait',
    retryAfterMs: Math.max(1, restMs),
    hint: 'the operator may add nodes, or raise how many requests they take',
  })
}

export function poolLoading(pool: string, who: string, restMs: number): LbError {
  return new LbError(`the nodes of pool ${pool} are still loading${who}`, {
    code: 'LB_POOL_LOADING',
    source: 'lb',
    httpStatus: 503,
    retry: 'after-wait',
    retryAfterMs: Math.min(restMs, LOADING_RETRY_MS),
    hint: 'the operator sees how far they are with `lb status`',
  })
}

export function noReadyNode(pool: string, who: string, restMs: number): LbError {
  return new LbError(`no node of pool ${pool} takes requests right now${who}`, {
    code: 'LB_NO_READY_NODE',
    source: 'lb',
    httpStatus: 503,
    retry: 'after-wait',
    retryAfterMs: Math.min(restMs, DOWN_RETRY_MS),
    hint: 'the operator sees why with `lb status`',
  })
}

/** Nobody had asked for the pool of late, and its engines rested. */
export function notAwake(pool: string, withinMs: number, who: string): LbError {
  return new LbError(`pool ${pool} did not wake within ${withinMs / 1_000} s${who}`, {
    code: 'LB_NOT_AWAKE',
    source: 'lb',
    httpStatus: 503,
    retry: 'after-wait',
    retryAfterMs: DOWN_RETRY_MS,
    hint: 'the operator sees what keeps it with `lb status`',
  })
}

export function noNodeWithLabels(pool: string, labels: Labels, requestId: string): LbError {
  const wanted = labels.map(([name, value]) => `${name}=${value}`).join(', ')
  return new LbError(`no ready node of pool ${pool} has the labels ${wanted}`, {
    code: 'LB_NO_NODE_WITH_LABELS',
    source: 'lb',
    httpStatus: 503,
    retry: 'after-wait',
    retryAfterMs: DOWN_RETRY_MS,
    hint: `the operator sees what each node lacks with \`lb why ${requestId}\`, where the request was traced`,
  })
}

/** Told where the last try was none, for lb could not open a connection: nodes have nothing to do with it. */
export function ownLack(records: readonly AttemptRecord[]): LbError | undefined {
  if (records.at(-1)?.outcome !== 'unsent') return undefined
  return new LbError('lb has no file descriptor left for a connection to an engine', {
    code: 'LB_NO_DESCRIPTOR',
    source: 'lb',
    httpStatus: 503,
    retry: 'after-wait',
    retryAfterMs: 1_000,
    hint: 'the operator may raise the limit of open files (ulimit -n, LimitNOFILE): two for each request, and some to spare',
  })
}

/** Tries that a client is told of. */
const TOLD = 4

/** Every node that was asked has failed; `because`: why no further one is. */
export function allFailed(records: readonly AttemptRecord[], end: AttemptEnd, because: string | undefined): LbError {
  const own = ownLack(records)
  if (own !== undefined) return own
  const nodes = new Set(records.map(({ node }) => node))
  const told = records.slice(-TOLD).map(({ node, reason, outcome }) => `${node}: ${reason ?? outcome}`)
  const more = records.length > TOLD ? `; the last ${TOLD} tries of ${records.length}: ` : '; '
  const message = `${nodes.size === 1 ? 'the node' : `${nodes.size} nodes`} did not answer${more}${told.join('; ')}`
  const timeout = end.outcome === 'timeout'
  return new LbError(because === undefined ? message : `${message}; it goes no further: ${because}`, {
    code: timeout ? 'LB_UPSTREAM_TIMEOUT' : 'LB_UPSTREAM_FAILED',
    source: 'engine',
    httpStatus: timeout ? 504 : 502,
    retry: 'after-wait',
    retryAfterMs: 1_000,
  })
}

/** Nobody who waits long in a line that is full already would be served sooner for it. */
export function lineFull(pool: string, max: number): LbError {
  return new LbError(`${max} requests wait for pool ${pool} already`, {
    code: 'LB_LINE_FULL',
    source: 'lb',
    httpStatus: 503,
    retry: 'after-wait',
    retryAfterMs: 2_000,
    hint: `the operator may raise pools.${pool}.line.max, or add nodes`,
  })
}

export function waitedTooLong(pool: string, longestMs: number): LbError {
  return new LbError(`no node of pool ${pool} was free within ${longestMs / 1_000} s`, {
    code: 'LB_WAITED_TOO_LONG',
    source: 'lb',
    httpStatus: 503,
    retry: 'after-wait',
    retryAfterMs: 5_000,
    hint: `the operator may raise pools.${pool}.line.longest, or add nodes`,
  })
}

export function clientLeft(): LbError {
  return new LbError('the client left while it waited for a node', { code: 'LB_CLIENT_GONE', source: 'client', httpStatus: 499 })
}
