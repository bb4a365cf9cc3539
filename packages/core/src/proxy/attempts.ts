import type { TimerHandle } from '../base/index.js'
import type { AttemptRecord, RosterNode } from '../contracts/index.js'
import type { LbError } from '../errors/index.js'
import type { Admitted } from './admit.js'
import { luckFrom, type Question } from './filters.js'
import type { AttemptEnd } from './forward.js'
import { choiceFor, pick } from './pick.js'
import type { ProxyContext } from './proxy-context.js'
import type { Guard, Guarded } from './quarantine/index.js'
import { didWork, Effort, isWorthPause } from './retries/effort.js'
import { lackOf, type Lack } from './retries/lack.js'
import { pauseMs, retryAfterMs } from './retries/pause.js'
import { Standstill, type WaitsFor } from './retries/standstill.js'
import { Tries } from './retries/tries.js'
import { streamCut, type Resumption } from './resumption.js'
import { allFailed, asError, clientLeft, lineFull, waitedTooLong } from './unanswered.js'
import type { Asked, Waiter, WaitingLine } from './waiting-line.js'

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

/**
 * The only backward step of the corridor: when an attempt failed before the client saw any content, another node is asked. Untried nodes come first, at once;
 * when all have failed, they are asked once more after a pause. While there is none to ask, the request stands in line.
 */
export function attempts(context: ProxyContext, request: Admitted, done: (walk: Walk) => void): void {
  new Attempts(context, request, done).again()
}

class Attempts implements Waiter, Guarded {
  /** In this round. */
  private readonly tried: RosterNode[] = []
  private question: Question
  private last: { readonly node: RosterNode; readonly end: AttemptEnd } | undefined
  /** A stream that one node began, and the next one goes on with. */
  private resumption: Resumption | undefined
  /** Of a request that may be what makes engines crash. */
  private guard: Guard | undefined
  private readonly tries: Tries
  private readonly effort: Effort
  private readonly standstill: Standstill
  /** Until the nodes that have failed it may be asked again. */
  private pause: TimerHandle | undefined
  private leaveBudget: (() => void) | undefined

  constructor(
    private readonly context: ProxyContext,
    private readonly request: Admitted,
    private readonly done: (walk: Walk) => void,
  ) {
    const { cooldowns, clock, leases, random } = context
    this.question = { request, tried: this.tried, cooldowns, nowMs: () => clock.nowMs(), leases, luck: luckFrom(random) }
    this.guard = context.quarantine.guardOf(request)
    this.effort = new Effort(request.pool.retries, context.budgets.of(request.pool))
    context.hedges.arrived(request.pool)
    this.tries = new Tries(context, request, {
      onContent: () => this.hasContent(),
      onEach: (node, atNodeMs, end) => {
        this.guard = context.quarantine.after(this.guard, request, { node, atNodeMs, end })
      },
      onEnd: (node, end) => this.ended(node, end),
      second: () => this.second(),
    })
    this.standstill = new Standstill(context, request, {
      onLate: (waitsFor) => this.isLate(waitsFor),
      onGone: () => {
        this.stopWaiting()
        this.finish(this.last?.node, undefined, clientLeft())
      },
    })
  }

  /** Those who have tried nothing and want nothing special lack the same nodes. */
  get kind(): string | undefined {
    const { request, tried, resumption } = this
    return tried.length === 0 && resumption === undefined && request.requiredLabels === undefined ? request.face : undefined
  }

  again(): void {
    try {
      this.next()
    } catch (thrown) {
      this.stopWaiting()
      this.finish(this.last?.node, this.last?.end, asError(thrown))
    }
  }

  private next(): void {
    if (this.guard?.holds(this) === true) return
    if (this.guard !== undefined) this.question = { ...this.question, only: this.guard.only }
    // Whoever comes later waits behind those that wait already.
    if (this.line.isBefore(this.kind)) return this.wait('strategy')
    const node = pick(this.context, this.question)
    if (node === 'wait') return this.wait('strategy')
    if (node === undefined) return this.wait('node')
    this.send(node)
  }

  /** In line, and something has changed. */
  ask(): Asked {
    try {
      const node = pick(this.context, this.question)
      if (node === 'wait') {
        this.standstill.enter('strategy')
        return 'waits'
      }
      if (node === undefined) return this.lacks() ? 'lacks' : 'served'
      this.stopWaiting()
      this.send(node)
    } catch (thrown) {
      this.stopWaiting()
      this.finish(this.last?.node, this.last?.end, asError(thrown))
    }
    return 'served'
  }

  private send(node: RosterNode): void {
    const { effort, tries, resumption, tried } = this
    if (!effort.pay(resumption !== undefined)) return this.waitForBudget()
    tried.push(node)
    this.question = { ...this.question, attempt: tries.count + 2 }
    tries.begin(node, resumption, this.guard === undefined)
  }

  /** A node for a second try beside the first one, where one has nothing else to wait for. */
  private second(): RosterNode | undefined {
    const { context, question, tried, request } = this
    const idle = choiceFor(context, question).fitting.filter((node) => context.leases.of(node).waiting === 0)
    if (this.guard !== undefined || idle.length === 0) return undefined
    const node = idle[request.pool.strategy.pick(request.facts, idle)]
    if (node !== undefined) tried.push(node)
    return node
  }

  private hasContent(): void {
    this.guard?.onContent()
    this.effort.worked()
  }

  private ended(node: RosterNode, end: AttemptEnd): void {
    const { context, request, effort } = this
    const { outcome, reason } = end
    this.last = { node, end }
    if (outcome === 'cut')
      context.log.warn('stream.cut', { request: request.requestId, node: node.id, reason, deliveredBytes: end.deliveredBytes })
    this.resumption = end.resumption
    this.question = { ...this.question, resumption: end.resumption }
    if (!end.movable && end.resumption === undefined) return this.finish(node, end, undefined)
    context.log.warn('attempt.failed', { request: request.requestId, node: node.id, outcome, reason, said: end.said })
    effort.failed(end, context.clock.nowMs() - request.arrivedMs)
    // A turn of its own, so that a chain of refused connects never grows the stack, and a bug in it is caught.
    queueMicrotask(() => (effort.overBecause === undefined ? this.again() : this.giveUp()))
  }

  /** Stands in line until there is a node. */
  private wait(waitsFor: Exclude<WaitsFor, 'budget'>): void {
    const { pool } = this.request
    const isFull = this.line.size >= pool.line.max
    if (waitsFor === 'strategy') {
      if (isFull) return this.refuse(lineFull(pool.name, pool.line.max))
      this.standstill.enter('strategy')
      this.line.join(this, 'waits')
    } else if (this.lacks(isFull)) this.line.join(this, 'lacks')
  }

  /** There is no node for it. False: waiting does not help, and it was told so. */
  private lacks(isFull = false): boolean {
    const { standstill } = this
    const lack = this.lack()
    if (isFull || !lack.mayComeBack || standstill.patienceMs <= 0) {
      this.stopWaiting()
      this.refuseFor(lack)
      return false
    }
    standstill.enter('node')
    if (lack.soonestMs !== undefined) this.line.wakeIn(lack.soonestMs)
    this.startPause()
    return true
  }

  private lack(): Lack {
    const { context, question, tries } = this
    return lackOf({ roster: context.rosters.current(), question, records: tries.records, mayAskAgain: this.mayAskAgain })
  }

  private get mayAskAgain(): boolean {
    return this.last === undefined || isWorthPause(this.last.end)
  }

  /** Then the nodes that have failed it are asked once more. */
  private startPause(): void {
    const { context, tried, last, effort, request } = this
    if (tried.length === 0 || last === undefined || this.pause !== undefined || !this.mayAskAgain) return
    const asked = retryAfterMs(last.end.retryAfter, context.clock.epochMs())
    this.pause = context.clock.after(pauseMs(context.random, effort.rounds, request.pool.retries.pause, asked), () => {
      this.pause = undefined
      effort.rounds += 1
      tried.length = 0
      this.line.askOne(this)
    })
  }

  /** Too much was tried in vain of late; its turn comes, in the order of the queue. */
  private waitForBudget(): void {
    const { context, request, standstill } = this
    const { size } = this.line
    const { waiting } = context.budgets.of(request.pool).state
    if (standstill.patienceMs <= 0 || size + waiting >= request.pool.line.max)
      return this.giveUp('its pool has tried too much in vain of late')
    standstill.enter('budget')
    this.leaveBudget = context.budgets.wait(request.pool, () => {
      this.stopWaiting()
      this.again()
    })
  }

  private stopWaiting(): void {
    this.line.leave(this)
    this.leaveBudget?.()
    this.leaveBudget = undefined
    this.pause?.cancel()
    this.pause = undefined
    this.standstill.leave()
  }

  private isLate(waitsFor: WaitsFor): void {
    const { pool } = this.request
    this.stopWaiting()
    if (waitsFor === 'budget') return this.giveUp('its pool has tried too much in vain of late')
    if (waitsFor === 'strategy') return this.refuse(waitedTooLong(pool.name, pool.line.longestMs))
    this.refuseFor(this.lack())
  }

  /** Where it waited, what each node is at says more than the last one's 429, or that it cannot be reached. */
  private refuseFor(lack: Lack): void {
    const { last, resumption, standstill } = this
    const hasWaited = standstill.totalMs > 0
    if (resumption === undefined && (last === undefined || (hasWaited && !didWork(last.end))))
      this.finish(last?.node, undefined, lack.error())
    else this.giveUp()
  }

  /** The last node's refusal, where there was one, says more than the line does. */
  private refuse(error: LbError): void {
    if (this.last === undefined) this.finish(undefined, undefined, error)
    else this.giveUp()
  }

  private giveUp(because = this.effort.overBecause): void {
    const { last } = this
    if (last === undefined) return
    const { node, end } = last
    end.passOn?.()
    if (end.passOn !== undefined) return this.finish(node, end, undefined)
    const isBegun = end.resumption !== undefined
    const error = isBegun
      ? streamCut(`${end.reason ?? end.outcome}; no other node goes on with it`)
      : allFailed(this.tries.records, end, because)
    this.finish(node, end, error)
  }

  /** For the guard: nodes that could take it, the least busy first. */
  candidates(): readonly string[] {
    const { context, question } = this
    const load = new Map(choiceFor(context, question).fitting.map((node) => [node.id, context.leases.of(node).inFlight]))
    return [...load.keys()].toSorted((a, b) => (load.get(a) ?? 0) - (load.get(b) ?? 0))
  }

  /** The guard lets it go no further. */
  stopped(error: LbError): void {
    this.finish(this.last?.node, undefined, error)
  }

  private get line(): WaitingLine {
    return this.context.lines.of(this.request.pool)
  }

  private finish(node: RosterNode | undefined, end: AttemptEnd | undefined, error: LbError | undefined): void {
    const inLineMs = round(this.standstill.totalMs)
    this.effort.end()
    const { records, isBodyFree } = this.tries
    this.done({ attempts: records, node, inLineMs, end, isBodyFree, error })
  }
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100
}
