import type { AttemptRecord, RosterNode } from '../contracts/index.js'
import { LbError } from '../errors/index.js'
import type { Admitted } from './admit.js'
import { forward, type AttemptEnd } from './forward.js'
import { pick } from './pick.js'
import type { ProxyContext } from './proxy-context.js'

/** All that was tried for one request. */
export interface Walk {
  readonly attempts: readonly AttemptRecord[]
  /** The node of the last attempt. */
  readonly node: RosterNode | undefined
  readonly end: AttemptEnd | undefined
  /** Why nothing was answered, where nothing was. */
  readonly error: LbError | undefined
}

/** The only backward step of the corridor: when an attempt failed before the client saw anything, another node is asked, each node once. */
export async function attempts(context: ProxyContext, request: Admitted, arrivedMs: number): Promise<Walk> {
  const tried = new Set<string>()
  const records: AttemptRecord[] = []
  let last: { node: RosterNode; end: AttemptEnd } | undefined
  while (tried.size <= request.pool.retries) {
    const node = pick(context, request, tried)
    if (node === undefined) break
    tried.add(node.id)
    const startedMs = context.clock.nowMs() - arrivedMs
    const end = await forward(context, request, node, tried.size)
    records.push({
      node: node.id,
      startedMs: round(startedMs),
      outcome: end.outcome,
      ...(end.reason === undefined ? {} : { reason: end.reason }),
    })
    last = { node, end }
    if (!end.movable) return { attempts: records, node, end, error: undefined }
    context.log.warn('attempt.failed', { request: request.requestId, node: node.id, outcome: end.outcome, reason: end.reason })
  }
  if (last?.end.passOn !== undefined) {
    last.end.passOn()
    return { attempts: records, ...last, error: undefined }
  }
  return {
    attempts: records,
    node: last?.node,
    end: last?.end,
    error: last === undefined ? noNode(context, request) : allFailed(last, records.length),
  }
}

function noNode(context: ProxyContext, request: Admitted): LbError {
  const loading = context.rosters.current().emptyReason(request.pool.name) === 'loading'
  const code = loading ? 'LB_POOL_LOADING' : 'LB_NO_READY_NODE'
  const message = loading
    ? `the nodes of pool ${request.pool.name} are still loading`
    : `no node of pool ${request.pool.name} takes requests right now`
  return new LbError(message, {
    code,
    source: 'lb',
    httpStatus: 503,
    retry: 'after-wait',
    retryAfterMs: loading ? 2_000 : 5_000,
    hint: 'the operator sees why with `lb status`',
  })
}

function allFailed(last: { node: RosterNode; end: AttemptEnd }, count: number): LbError {
  const message = `${count === 1 ? 'the node' : `${count} nodes`} did not answer; the last one, ${last.node.id}: ${last.end.reason ?? last.end.outcome}`
  const timeout = last.end.outcome === 'timeout'
  return new LbError(message, {
    code: timeout ? 'LB_UPSTREAM_TIMEOUT' : 'LB_UPSTREAM_FAILED',
    source: 'engine',
    httpStatus: timeout ? 504 : 502,
    retry: 'after-wait',
    retryAfterMs: 1_000,
  })
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100
}
