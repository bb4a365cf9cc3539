import type { AttemptRecord, RosterNode } from '../contracts/index.js'
import type { LbError } from '../errors/index.js'
import type { Admitted } from './admit.js'
import { luckFrom, type Question } from './filters.js'
import type { AttemptEnd } from './forward.js'
import { askerOf, Parting } from './parting.js'
import { choiceFor, pick } from './pick.js'
import type { ProxyContext } from './proxy-context.js'
import type { Guard, Guarded } from './quarantine/index.js'
import { didWork, Effort, isWorthPause } from './retries/effort.js'
import { lackOf, type Lack } from './retries/lack.js'
import { pauseMs, retryAfterMs } from './retries/pause.js'
import { passOnOrTell, type LastTry } from './retries/last-resort.js'
import { Standstill, type Standing, type WaitsFor } from './retries/standstill.js'
import { Tries, type TriesEvents } from './retries/tries.js'
import type { Resumption } from './resumption.js'
import { asError, clientLeft, lineFull, waitedTooLong } from './unanswered.js'
import type { Asked } from './waiting-line.js'

const SPENT = 'its pool has tried too much in vain of late'

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

class Attempts implements Standing, Guarded, TriesEvents {
  /** In this round. */
  private readonly tried: RosterNode[] = []
  private question: Question
  private last: LastTry | undefined
  /** A stream that one node began, and the next one goes on with. */
  private resumption: Resumption | undefined
  /** Of a request that may be what makes engines crash. */
  private guard: Guard | undefined
  private readonly tries: Tries
  private readonly effort: Effort
  /** There for those that had to wait. */
  private standstill: Standstill | undefined

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
    this.tries = new Tries(context, request, this)
  }

  /** Those who have tried nothing and want nothing special lack the same nodes. */
  get kind(): string | undefined {
    const { request, tried, resumption } = this
    const isPlain = tried.length === 0 && resumption === undefined && request.requiredLabels === undefined
    return isPlain && request.parting?.isNamed !== true ? request.face : undefined
  }

  again(): void {
    try {
      this.next()
    } catch (thrown) {
      this.failed(thrown)
    }
  }

  private next(): void {
    if (this.guard?.holds(this) === true) return
    if (this.guard !== undefined) this.question = { ...this.question, only: this.guard.only }
    const line = this.context.lines.of(this.request.pool)
    // Whoever comes later waits behind those that wait already.
    const node = line.lacksKind(this.kind) ? undefined : line.isAsking ? 'wait' : pick(this.context, this.question)
    const { name, line: limits } = this.request.pool
    if (node === undefined) this.lacks()
    else if (node !== 'wait') this.send(node)
    else if (this.still.isFull) this.refuse(lineFull(name, limits.max))
    else this.still.inLine('waits')
  }

  /** In line, and something has changed. */
  ask(): Asked {
    try {
      this.renewParting()
      const node = pick(this.context, this.question)
      if (node === undefined) return this.lacks() ? 'lacks' : 'served'
      if (node === 'wait') {
        this.still.inLine('waits')
        return 'waits'
      }
      this.still.leave()
      this.send(node)
    } catch (thrown) {
      this.failed(thrown)
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

  second(): RosterNode | undefined {
    const { context, question, tried, request } = this
    const idle = choiceFor(context, question).fitting.filter((node) => context.leases.of(node).waiting === 0)
    if (this.guard !== undefined || idle.length === 0) return undefined
    const node = idle[request.pool.strategy.pick(request.facts, idle)]
    if (node !== undefined) tried.push(node)
    return node
  }

  get wantsContent(): boolean {
    return this.guard !== undefined || this.effort.isCharged
  }

  onContent(): void {
    this.guard?.onContent()
    this.effort.worked()
  }

  onEach(node: RosterNode, atNodeMs: number, end: AttemptEnd): void {
    // What crashes where a revision is tried out says nothing of the request yet.
    if (this.guard === undefined && this.request.parting?.isTrusted(node) === false) return
    this.guard = this.context.quarantine.after(this.guard, this.request, { node, atNodeMs, end })
  }

  onEnd(node: RosterNode, end: AttemptEnd): void {
    const { context, request, effort } = this
    const { outcome, reason } = end
    this.last = { node, end }
    if (outcome === 'cut')
      context.log.warn('stream.cut', { request: request.requestId, node: node.id, reason, deliveredBytes: end.deliveredBytes })
    if (!end.movable && end.resumption === undefined) return this.finish(end, undefined)
    this.resumption = end.resumption
    this.question = { ...this.question, resumption: end.resumption }
    this.renewParting()
    const movesBack = this.movesBack(node)
    if (end.isDoubted === true && !movesBack) return this.giveUp()
    context.log.warn('attempt.failed', { request: request.requestId, node: node.id, outcome, reason, said: end.said })
    if (!movesBack) effort.failed(end, context.clock.nowMs() - request.arrivedMs)
    // A turn of its own, so that a chain of refused connects never grows the stack, and a bug in it is caught.
    queueMicrotask(() => (effort.overBecause === undefined ? this.again() : this.giveUp()))
  }

  /** It failed at a revision that is tried out, and the trusted one can be asked: once, whatever the pool allows itself. */
  private movesBack(node: RosterNode): boolean {
    const { parting } = this.request
    if (parting?.moveBack(node) !== true) return false
    return choiceFor(this.context, this.question).fitting.some((other) => parting.isTrusted(other))
  }

  /** Shares may have changed since it came, or a pool may have several revisions now. */
  private renewParting(): void {
    const { context, request } = this
    const { split } = context.pools().poolOf(request.facts.model) ?? request.pool
    if (request.parting !== undefined) request.parting.renew(split)
    else if (split !== undefined) request.parting = new Parting(split, askerOf(request), context.random)
  }

  /** There is no node for it now: it waits in line. False: that does not help, and it was told so. */
  private lacks(): boolean {
    const { still, last, tried, effort, context, request } = this
    const lack = this.lack()
    if (still.patienceMs <= lack.helpsWithinMs) return this.refuseFor(lack)
    const { name, line, retries } = request.pool
    if (!still.isStanding && still.isFull) return this.refuse(lineFull(name, line.max))
    still.inLine('lacks', lack.soonestMs)
    if (tried.length === 0 || last === undefined || !this.mayAskAgain) return true
    const askedMs = retryAfterMs(last.end.retryAfter, context.clock.epochMs())
    still.pause(
      () => pauseMs(context.random, effort.rounds, retries.pause, askedMs),
      () => {
        effort.rounds += 1
        tried.length = 0
      },
    )
    return true
  }

  private lack(): Lack {
    const { context, question, tries } = this
    return lackOf({ roster: context.rosters.current(), question, records: tries.records, mayAskAgain: this.mayAskAgain })
  }

  private get mayAskAgain(): boolean {
    return this.last === undefined || isWorthPause(this.last.end)
  }

  /** Too much was tried in vain of late; its turn comes, in the order of the queue. */
  private waitForBudget(): void {
    if (this.still.patienceMs <= 0 || this.still.isFull) this.giveUp(SPENT)
    else this.still.forBudget()
  }

  onLate(waitsFor: WaitsFor): void {
    const { name, line } = this.request.pool
    if (waitsFor === 'budget') this.giveUp(SPENT)
    else if (waitsFor === 'strategy') this.refuse(waitedTooLong(name, line.longestMs))
    else this.refuseFor(this.lack())
  }

  onGone(): void {
    this.finish(undefined, clientLeft())
  }

  /** Where one waits, what each node is at says more than the last one's 429, or that it cannot be reached. */
  private refuseFor(lack: Lack): false {
    const { last, resumption, still, request } = this
    const isTold = last === undefined || (request.pool.retries.waitMs > 0 && !didWork(last.end))
    still.leave()
    if (isTold && resumption === undefined) this.finish(undefined, lack.error())
    else this.giveUp()
    return false
  }

  /** The last node's refusal, where there was one, says more than the line does. */
  private refuse(error: LbError): false {
    if (this.last === undefined) this.finish(undefined, error)
    else this.giveUp()
    return false
  }

  private giveUp(because = this.effort.overBecause): void {
    const { last, tries } = this
    if (last !== undefined) this.finish(last.end, passOnOrTell(last, tries.records, because))
  }

  /** For the guard: nodes that could take it, the least busy first. */
  candidates(): readonly string[] {
    const { context, question } = this
    const load = new Map(choiceFor(context, question).fitting.map((node) => [node.id, context.leases.of(node).inFlight]))
    return [...load.keys()].toSorted((a, b) => (load.get(a) ?? 0) - (load.get(b) ?? 0))
  }

  /** The guard lets it go no further. */
  stopped(error: LbError): void {
    this.finish(undefined, error)
  }

  private get still(): Standstill {
    return (this.standstill ??= new Standstill(this.context, this.request, this))
  }

  private failed(thrown: unknown): void {
    this.finish(this.last?.end, asError(thrown))
  }

  private finish(end: AttemptEnd | undefined, error: LbError | undefined): void {
    this.standstill?.leave()
    this.effort.end()
    const { records, isBodyFree } = this.tries
    const inLineMs = Math.round(100 * (this.standstill?.totalMs ?? 0)) / 100
    this.done({ attempts: records, node: this.last?.node, inLineMs, end, isBodyFree, error })
  }
}
