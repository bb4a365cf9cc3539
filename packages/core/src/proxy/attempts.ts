import type { RosterNode } from '../contracts/index.js'
import type { LbError } from '../errors/index.js'
import type { Admitted } from './admit.js'
import type { AttemptEnd } from './forward.js'
import { OpenQuestion } from './open-question.js'
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
import { asError, clientLeft, lineFull, waitedTooLong } from './unanswered.js'
import type { Asked } from './waiting-line.js'
import type { Walk } from './walk.js'
import { WayBack } from './way-back.js'

const SPENT = 'its pool has tried too much in vain of late'

/**
 * The only backward step of the corridor: when an attempt failed before the client saw any content, another node is asked. Untried nodes come first, at once;
 * when all have failed, they are asked once more after a pause. While there is none to ask, the request stands in line.
 */
export function attempts(context: ProxyContext, request: Admitted, whose: Walked): void {
  new Attempts(context, request, whose).again()
}

/** Whoever wants to know what came of it. */
export interface Walked {
  walked(walk: Walk): void
}

class Attempts implements Standing, Guarded, TriesEvents {
  private readonly question: OpenQuestion
  private last: LastTry | undefined
  /** Of a request that may be what makes engines crash. */
  private guard: Guard | undefined
  private readonly tries: Tries
  private readonly effort: Effort
  /** There for those that had to wait. */
  private standstill: Standstill | undefined
  /** There where its pool has several revisions. */
  private back: WayBack | undefined

  constructor(
    private readonly context: ProxyContext,
    private readonly request: Admitted,
    private readonly whose: Walked,
  ) {
    this.question = new OpenQuestion(request, context)
    this.guard = context.quarantine.guardOf(request)
    this.effort = new Effort(request.pool.retries, context.budgets.of(request.pool))
    context.hedges.arrived(request.pool)
    this.tries = new Tries(context, request, this)
    if (request.parting !== undefined) this.back = new WayBack(context, request, request.parting)
  }

  /** Those who have tried nothing and want nothing special lack the same nodes, and so do those who wait for a revision that they can trust. */
  get kind(): string | undefined {
    const { request, tried, resumption } = this.question
    const { face, parting } = request
    if (resumption !== undefined || request.requiredLabels !== undefined || parting?.isNamed === true) return undefined
    if (parting?.isInsisting === true) return `${face} sent back`
    return tried.length === 0 ? face : undefined
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
    if (this.guard !== undefined) this.question.only = this.guard.only
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
    const { effort, tries, request, back, question } = this
    const { resumption } = question
    const isDue = request.parting?.isDue(node) === true
    if (!isDue && !effort.pay(resumption !== undefined)) return this.waitForBudget()
    if (back?.goesTo(node, question, () => this.still.isFull) === false)
      return void this.refuse(lineFull(request.pool.name, request.pool.line.max))
    question.add(node)
    question.attempt = tries.count + 2
    tries.begin(node, resumption, this.guard === undefined)
  }

  second(): RosterNode | undefined {
    const { context, question, request } = this
    const idle = choiceFor(context, question).fitting.filter((node) => context.leases.of(node).waiting === 0)
    if (this.guard !== undefined || idle.length === 0) return undefined
    const node = idle[request.pool.strategy.pick(request.facts, idle)]
    if (node === undefined) return undefined
    question.add(node)
    request.parting?.asks(node)
    return node
  }

  get wantsContent(): boolean {
    return this.guard !== undefined || this.effort.isCharged || this.back?.isOut === true
  }

  onContent(): void {
    this.guard?.onContent()
    this.effort.worked()
    this.back?.onContent()
  }

  onEach(node: RosterNode, atNodeMs: number, end: AttemptEnd): void {
    // What crashes where a revision is tried out says nothing of the request yet.
    if (this.guard === undefined && this.request.parting?.isTrusted(node) === false) return
    this.guard = this.context.quarantine.after(this.guard, this.request, { node, atNodeMs, end })
  }

  onEnd(node: RosterNode, end: AttemptEnd): void {
    const { context, request, effort, question, tries } = this
    const { outcome, reason } = end
    this.last = { node, end }
    if (outcome === 'cut')
      context.log.warn('stream.cut', { request: request.requestId, node: node.id, reason, deliveredBytes: end.deliveredBytes })
    if (outcome === 'answered') this.back?.answered(node)
    if (!end.movable && end.resumption === undefined) return this.finish(end, undefined)
    question.resumption = end.resumption
    this.renewParting()
    const wasOwed = request.parting?.isOwed === true
    const way = this.back?.failed({ node, end, question, records: tries.records })
    if (!wasOwed && request.parting?.isOwed === true) this.standstill?.renewPatience()
    if (end.isDoubted === true && way === undefined) return this.giveUp()
    context.log.warn('attempt.failed', { request: request.requestId, node: node.id, outcome, reason, said: end.said })
    if (way === undefined) effort.failed(end, context.clock.nowMs() - request.arrivedMs)
    // A turn of its own, so that a chain of refused connects never grows the stack, and a bug in it is caught.
    queueMicrotask(() => (effort.overBecause === undefined || this.back?.goesOn() === true ? this.again() : this.giveUp()))
  }

  /** Shares may have changed since it came, or a pool may have several revisions now. */
  private renewParting(): void {
    const { context, request, question } = this
    const now = context.pools().poolOf(request.facts.model)
    const { split } = now?.name === request.pool.name ? now : request.pool
    const { parting } = request
    if (parting !== undefined) {
      parting.renew(split)
      if (parting.relents(question.tried)) question.forgetTried()
    } else if (split !== undefined) {
      request.parting = new Parting(split, askerOf(request), context.random)
      this.back = new WayBack(context, request, request.parting)
    }
  }

  /** There is no node for it now: it waits in line. False: that does not help, and it was told so. */
  private lacks(): boolean {
    const { still, last, question, effort, context, request } = this
    const lack = this.lack()
    if (still.patienceMs <= lack.helpsWithinMs) return this.refuseFor(lack)
    const { name, line, retries } = request.pool
    if (!still.isStanding && still.isFull) return this.refuse(lineFull(name, line.max))
    still.inLine('lacks', lack.soonestMs)
    if (question.tried.length === 0 || last === undefined || !this.mayAskAgain || request.parting?.isInsisting === true) return true
    const askedMs = retryAfterMs(last.end.retryAfter, context.clock.epochMs())
    still.pause(
      () => pauseMs(context.random, effort.rounds, retries.pause, askedMs),
      () => {
        effort.rounds += 1
        question.forgetTried()
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
    // In a turn of its own: whoever was asked in line has left it only when that is over.
    if (this.back?.goesOn() === true) queueMicrotask(() => this.again())
    else if (this.still.patienceMs <= 0 || this.still.isFull) this.giveUp(SPENT)
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
    const { last, still, request } = this
    const { resumption } = this.question
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
    this.back?.end()
    this.effort.end()
    const { records, isBodyFree } = this.tries
    const inLineMs = Math.round(100 * (this.standstill?.totalMs ?? 0)) / 100
    this.whose.walked({ attempts: records, node: this.last?.node, inLineMs, end, isBodyFree, error })
  }
}
