import type { TimerHandle } from '../base/index.js'
import type { AttemptRecord, RosterNode } from '../contracts/index.js'
import type { LbError } from '../errors/index.js'
import type { Admitted } from './admit.js'
import { isLate } from './collect-rules.js'
import { forward, type AttemptEnd } from './forward.js'
import { fittingNodes, type Question } from './filters.js'
import { tellOutcome } from './outcome-of.js'
import { pick } from './pick.js'
import { allFailed, asError, clientLeft, lineFull, noNode, waitedTooLong } from './unanswered.js'
import type { ProxyContext } from './proxy-context.js'
import type { Guard, Guarded } from './quarantine/index.js'
import type { Resumption } from './resumption.js'
import type { Waiter } from './waiting-line.js'

const TRUE_COLLECTED = { collected: true } as const
const TRUE_LATE = { late: true } as const

/** All that was tried for one request. */
export interface Walk {
  readonly attempts: readonly AttemptRecord[]
  /** The node of the last attempt. */
  readonly node: RosterNode | undefined
  /** In line, before a node took it. */
  readonly inLineMs: number
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

class Attempts implements Waiter, Guarded {
  private readonly tried: RosterNode[] = []
  private question: Question
  private readonly records: AttemptRecord[] = []
  private last: AttemptEnd | undefined
  /** A stream that one node began, and the next one goes on with. */
  private resumption: Resumption | undefined
  /** Of a request that may be what makes engines crash. */
  private guard: Guard | undefined
  private isBodyFree = true
  private inLineMs = 0
  private waitsSinceMs = 0
  private waitTimer: TimerHandle | undefined

  constructor(
    private readonly context: ProxyContext,
    private readonly request: Admitted,
    private readonly done: (walk: Walk) => void,
  ) {
    const { cooldowns, clock } = context
    this.question = { request, tried: this.tried, cooldowns, nowMs: () => clock.nowMs() }
    this.guard = context.quarantine.guardOf(request)
  }

  next(): void {
    const { context, request, tried } = this
    if (this.guard?.holds(this) === true) return
    if (this.guard !== undefined) this.question = { ...this.question, only: this.guard.only }
    if (this.resumption === undefined && tried.length > request.pool.retries.max) return this.giveUp()
    // Whoever comes later waits behind those that wait already.
    const node = context.lines.of(request.pool).size > 0 ? 'wait' : pick(context, this.question)
    if (node === 'wait') return this.wait()
    this.send(node)
  }

  /** In line, and something has changed. */
  ask(): boolean {
    let waits = true
    try {
      const node = pick(this.context, this.question)
      if (node === 'wait') return false
      this.waitEnded()
      waits = false
      this.send(node)
    } catch (thrown) {
      if (waits) this.waitEnded()
      this.finish(this.tried.at(-1), this.last, asError(thrown))
    }
    return true
  }

  private send(node: RosterNode | undefined): void {
    const { context, request, tried } = this
    if (node === undefined) return this.giveUp()
    tried.push(node)
    const nowMs = context.clock.nowMs()
    const prefillAhead = context.zones.aheadOf(node, request.facts)
    const startedMs = round(nowMs - request.arrivedMs)
    forward(context, request, { node, attempt: tried.length, resumption: this.resumption, onContent: this.guard?.onContent }, (end) => {
      if (prefillAhead !== undefined && end.continues === undefined && end.firstContentAtMs !== undefined && end.outcome === 'answered')
        context.zones.learn(request.pool.name, prefillAhead, {
          ttftMs: end.firstContentAtMs - nowMs,
          totalMs: context.clock.nowMs() - nowMs,
        })
      this.guard = context.quarantine.after(this.guard, request, { node, atNodeMs: context.clock.nowMs() - nowMs, end })
      this.ended(node, startedMs, end)
    })
  }

  private wait(): void {
    const { context, request } = this
    const { line: limits, name } = request.pool
    const line = context.lines.of(request.pool)
    if (line.size >= limits.max) return this.refuse(lineFull(name, limits.max))
    const leave = (): void => {
      line.leave(this)
      this.waitEnded()
    }
    this.waitsSinceMs = context.clock.nowMs()
    line.join(this)
    this.waitTimer = context.wheel.after(limits.longestMs, () => {
      leave()
      this.refuse(waitedTooLong(name, limits.longestMs))
    })
    request.exchange.onGone(() => {
      leave()
      this.finish(this.tried.at(-1), undefined, clientLeft())
    })
  }

  private waitEnded(): void {
    this.waitTimer?.cancel()
    this.inLineMs += this.context.clock.nowMs() - this.waitsSinceMs
    this.request.exchange.onGone(() => undefined)
  }

  /** The last node's refusal, where there was one, says more than the line does. */
  private refuse(error: LbError): void {
    if (this.last === undefined) this.finish(undefined, undefined, error)
    else this.giveUp()
  }

  private ended(node: RosterNode, startedMs: number, end: AttemptEnd): void {
    const { outcome, reason } = end
    const record = reason === undefined ? { node: node.id, startedMs, outcome } : { node: node.id, startedMs, outcome, reason }
    const late = outcome === 'cancelled' && (end.late ?? isLate(node, this.request.face, end))
    const { collected, continues } = end
    const isOrdinary = !late && collected !== true && continues === undefined
    const more = {
      ...(collected === true ? TRUE_COLLECTED : {}),
      ...(late ? TRUE_LATE : {}),
      ...(continues === undefined ? {} : { continues }),
    }
    this.records.push(isOrdinary ? record : { ...record, ...more })
    this.last = end
    if (end.rest !== undefined) this.context.cooldowns.begin(node, end.rest.retryAfter, this.context.clock.nowMs())
    this.isBodyFree &&= end.isSent
    tellOutcome(this.context, node, end)
    if (outcome === 'cut')
      this.context.log.warn('stream.cut', { request: this.request.requestId, node: node.id, reason, deliveredBytes: end.deliveredBytes })
    this.resumption = end.resumption
    this.question = { ...this.question, resumption: end.resumption }
    if (!end.movable && end.resumption === undefined) return this.finish(node, end, undefined)
    this.context.log.warn('attempt.failed', { request: this.request.requestId, node: node.id, outcome, reason, said: end.said })
    // A turn of its own, so that a chain of refused connects never grows the stack, and a bug in it is caught.
    queueMicrotask(() => this.again())
  }

  /** For the guard: nodes that could take it, the least busy first. */
  candidates(): readonly string[] {
    const { context, question, request } = this
    const load = new Map(
      fittingNodes(context.rosters.current().routable(request.pool.name), question).map((node) => [
        node.id,
        context.leases.of(node).inFlight,
      ]),
    )
    return [...load.keys()].toSorted((a, b) => (load.get(a) ?? 0) - (load.get(b) ?? 0))
  }

  /** The guard lets it go no further. */
  stopped(error: LbError): void {
    this.finish(this.tried.at(-1), undefined, error)
  }

  again(): void {
    try {
      this.next()
    } catch (thrown) {
      this.finish(this.tried.at(-1), this.last, asError(thrown))
    }
  }

  private giveUp(): void {
    const { context, request, records, last } = this
    const node = this.tried.at(-1)
    if (node === undefined || last === undefined) return this.finish(undefined, undefined, noNode(context.rosters.current(), request))
    last.passOn?.()
    const error = last.passOn === undefined ? allFailed(node, last, records.length) : undefined
    this.finish(node, last, error)
  }

  private finish(node: RosterNode | undefined, end: AttemptEnd | undefined, error: LbError | undefined): void {
    this.done({ attempts: this.records, node, inLineMs: round(this.inLineMs), end, isBodyFree: this.isBodyFree, error })
  }
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100
}
