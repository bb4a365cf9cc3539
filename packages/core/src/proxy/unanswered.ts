import type { Roster, RosterNode } from '../contracts/index.js'
import { LbError } from '../errors/index.js'
import type { Admitted } from './admit.js'
import type { AttemptEnd } from './forward.js'

/** A bug has no name of its own. */
export function asError(thrown: unknown): LbError {
  return thrown instanceof LbError
    ? thrown
    : new LbError('lb failed on this request', { code: 'LB_BUG', source: 'lb', httpStatus: 500, cause: thrown })
}

export function noNode(roster: Roster, { pool, requiredLabels, requestId }: Admitted): LbError {
  const labels = requiredLabels?.map(([name, value]) => `${name}=${value}`).join(', ')
  if (labels !== undefined && roster.routable(pool.name).length > 0)
    return new LbError(`no ready node of pool ${pool.name} has the labels ${labels}`, {
      code: 'LB_NO_NODE_WITH_LABELS',
      source: 'lb',
      httpStatus: 503,
      retry: 'after-wait',
      retryAfterMs: 5_000,
      hint: `the operator sees what each node lacks with \`lb why ${requestId}\`, where the request was traced`,
    })
  const loading = roster.emptyReason(pool.name) === 'loading'
  const code = loading ? 'LB_POOL_LOADING' : 'LB_NO_READY_NODE'
  const message = loading ? `the nodes of pool ${pool.name} are still loading` : `no node of pool ${pool.name} takes requests right now`
  return new LbError(message, {
    code,
    source: 'lb',
    httpStatus: 503,
    retry: 'after-wait',
    retryAfterMs: loading ? 2_000 : 5_000,
    hint: 'the operator sees why with `lb status`',
  })
}

export function allFailed(node: RosterNode, end: AttemptEnd, count: number): LbError {
  const message = `${count === 1 ? 'the node' : `${count} nodes`} did not answer; the last one, ${node.id}: ${end.reason ?? end.outcome}`
  const timeout = end.outcome === 'timeout'
  return new LbError(message, {
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
