import type { AttemptRecord, RosterNode } from '../contracts/index.js'
import { LbError } from '../errors/index.js'
import type { Admitted } from './admit.js'
import { isLate } from './collect-rules.js'
import { forward, type AttemptEnd } from './forward.js'
import { pick } from './pick.js'
import type { ProxyContext } from './proxy-context.js'

const TRUE_COLLECTED = { collected: true } as const
const TRUE_LATE = { late: true } as const

/** All that was tried for one request. */
export interface Walk {
  readonly attempts: readonly AttemptRecord[]
  /** The node of the last attempt. */
  readonly node: RosterNode | undefined
  readonly end: AttemptEnd | undefined
  /** No node is still being sent the body. */
  readonly isBodyFree: boolean
  /** Why nothing was answered, where nothing was. */
  readonly error: LbError | undefined
}

/** The only backward step of the corridor: when an attempt failed before the client saw any content, another node is asked, each node once. */
export function attempts(context: ProxyContext, request: Admitted, done: (walk: Walk) => void): void {
  new Attempts(context, request, done).next()
}

class Attempts {
  private readonly tried: RosterNode[] = []
  private readonly records: AttemptRecord[] = []
  private last: AttemptEnd | undefined
  private isBodyFree = true

  constructor(
    private readonly context: ProxyContext,
    private readonly request: Admitted,
    private readonly done: (walk: Walk) => void,
  ) {}

  next(): void {
    const { context, request, tried } = this
    const node = tried.length <= request.pool.retries ? pick(context, request, tried) : undefined
    if (node === undefined) return this.giveUp()
    tried.push(node)
    const startedMs = round(context.clock.nowMs() - request.arrivedMs)
    forward(context, request, { node, attempt: tried.length }, (end) => this.ended(node, startedMs, end))
  }

  private ended(node: RosterNode, startedMs: number, end: AttemptEnd): void {
    const { outcome, reason } = end
    const record = reason === undefined ? { node: node.id, startedMs, outcome } : { node: node.id, startedMs, outcome, reason }
    const late = outcome === 'cancelled' && (end.late ?? isLate(node, this.request.face, end))
    const isOrdinary = !late && end.collected !== true
    this.records.push(isOrdinary ? record : { ...record, ...(end.collected === true ? TRUE_COLLECTED : {}), ...(late ? TRUE_LATE : {}) })
    this.last = end
    this.isBodyFree &&= end.isSent
    if (outcome === 'cut')
      this.context.log.warn('stream.cut', { request: this.request.requestId, node: node.id, reason, deliveredBytes: end.deliveredBytes })
    if (!end.movable) return this.finish(node, end, undefined)
    this.context.log.warn('attempt.failed', { request: this.request.requestId, node: node.id, outcome, reason, said: end.said })
    // A turn of its own, so that a chain of refused connects never grows the stack, and a bug in it is caught.
    queueMicrotask(() => this.again())
  }

  private again(): void {
    try {
      this.next()
    } catch (thrown) {
      this.finish(this.tried.at(-1), this.last, asError(thrown))
    }
  }

  private giveUp(): void {
    const { context, request, records, last } = this
    const node = this.tried.at(-1)
    if (node === undefined || last === undefined) return this.finish(undefined, undefined, noNode(context, request))
    last.passOn?.()
    const error = last.passOn === undefined ? allFailed(node, last, records.length) : undefined
    this.finish(node, last, error)
  }

  private finish(node: RosterNode | undefined, end: AttemptEnd | undefined, error: LbError | undefined): void {
    this.done({ attempts: this.records, node, end, isBodyFree: this.isBodyFree, error })
  }
}

function asError(thrown: unknown): LbError {
  return thrown instanceof LbError
    ? thrown
    : new LbError('lb failed on this request', { code: 'LB_BUG', source: 'lb', httpStatus: 500, cause: thrown })
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

function allFailed(node: RosterNode, end: AttemptEnd, count: number): LbError {
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

function round(ms: number): number {
  return Math.round(ms * 100) / 100
}
