import type { TimerHandle } from '../../base/index.js'
import type { AttemptRecord, RosterNode } from '../../contracts/index.js'
import { messageOf } from '../../errors/index.js'
import type { Admitted } from '../admit.js'
import type { TryOut } from '../cooldowns.js'
import { forward, type AttemptEnd } from '../forward.js'
import { tellOutcome } from '../outcome-of.js'
import type { ProxyContext } from '../proxy-context.js'
import type { Resumption } from '../resumption.js'
import { attemptRecord } from './attempt-record.js'
import { retryAfterMs } from './pause.js'
import { Race, type Lane } from './race.js'

/** One node is asked. */
interface Try {
  readonly node: RosterNode
  readonly place: number
  readonly startedAtMs: number
  readonly lane: Lane | undefined
  isHedged: boolean
  /** Prompt tokens that stood before it at its node; undefined where nothing is learned of that. */
  readonly prefillAhead: number | undefined
  /** There where the node is asked again after a pause. */
  readonly tryOut: TryOut | undefined
}

export interface TriesEvents {
  /** `onContent` matters for the try that begins now. */
  readonly wantsContent: boolean
  /** A node has begun to answer. */
  onContent(): void
  /** A try is over; told of each. */
  onEach(node: RosterNode, atNodeMs: number, end: AttemptEnd): void
  /** What came of the node that was asked, or of the two. */
  onEnd(node: RosterNode, end: AttemptEnd): void
  /** A node for a second try, while the first goes on; undefined: none has the time. */
  second(): RosterNode | undefined
}

/** The tries of one request: one at a time or, where the pool hedges, two at once of which the first answer counts. */
export class Tries {
  /** In the order in which they began. */
  records: AttemptRecord[] = []
  /** No node is still being sent the body. */
  isBodyFree = true
  /** Nodes that were asked. */
  count = 0
  private running: readonly Try[] = []
  private race: Race | undefined
  private hedging: TimerHandle | undefined

  constructor(
    private readonly context: ProxyContext,
    private readonly request: Admitted,
    private readonly events: TriesEvents,
  ) {}

  /** Asks a node. `mayHedge`: and later perhaps a second one beside it. */
  begin(node: RosterNode, resumption: Resumption | undefined, mayHedge: boolean): void {
    const { context, request } = this
    const afterMs = mayHedge && resumption === undefined ? context.hedges.afterMs(request.pool, request.facts) : undefined
    this.race = afterMs === undefined ? undefined : new Race(request)
    if (afterMs !== undefined) this.hedging = context.clock.after(afterMs, () => this.hedge())
    this.send(node, resumption)
  }

  private hedge(): void {
    const { hedges } = this.context
    const { pool } = this.request
    const [first] = this.running
    const node = first === undefined || !hedges.has(pool) ? undefined : this.events.second()
    if (first === undefined || node === undefined) return
    hedges.take(pool)
    first.isHedged = true
    try {
      this.send(node, undefined)
    } catch (bug) {
      this.running = [first]
      this.context.log.error('hedge.failed', { request: this.request.requestId, node: node.id, error: messageOf(bug) })
    }
  }

  private send(node: RosterNode, resumption: Resumption | undefined): void {
    const { context } = this
    const startedAtMs = context.clock.nowMs()
    const lane = this.race?.enter()
    const request = lane?.request ?? this.request
    const prefillAhead = context.zones.aheadOf(node, request.facts)
    const tryOut = context.cooldowns.tryOut(node)
    const attempt: Try = { node, place: this.count, startedAtMs, lane, isHedged: this.running.length > 0, prefillAhead, tryOut }
    this.count += 1
    this.running = this.running.length === 0 ? [attempt] : [...this.running, attempt]
    const isHeard = tryOut !== undefined || request.pool.retries.hedge !== undefined || this.events.wantsContent
    const onContent = isHeard ? this.onContentOf(attempt) : undefined
    forward(context, request, { node, attempt: this.count, resumption, onContent }, this.onEndOf(attempt))
  }

  private onContentOf({ tryOut, startedAtMs }: Try): () => void {
    return () => {
      const { context, request } = this
      tryOut?.taken()
      this.hedging?.cancel()
      context.hedges.learn(request.pool, request.facts, context.clock.nowMs() - startedAtMs)
      this.events.onContent()
    }
  }

  /** A function of its own, so that it holds the try and nothing else of where it is sent. */
  private onEndOf(attempt: Try): (end: AttemptEnd) => void {
    return (end) => {
      attempt.tryOut?.ended()
      this.learnWait(attempt, end)
      this.ended(attempt, end)
    }
  }

  private learnWait({ prefillAhead, startedAtMs }: Try, { continues, firstContentAtMs, outcome }: AttemptEnd): void {
    if (prefillAhead === undefined || continues !== undefined || firstContentAtMs === undefined || outcome !== 'answered') return
    const { context, request } = this
    const times = { ttftMs: firstContentAtMs - startedAtMs, totalMs: context.clock.nowMs() - startedAtMs }
    context.zones.learn(request.pool.name, prefillAhead, times)
  }

  private ended(attempt: Try, end: AttemptEnd): void {
    const { context, request } = this
    const { node, lane } = attempt
    const atNodeMs = context.clock.nowMs() - attempt.startedAtMs
    const running = (this.running = this.running.filter((each) => each !== attempt))
    const isBeaten = lane?.isBeaten === true && end.outcome === 'cancelled'
    // It would have taken longer still; without it, the slow would be forgotten, and ever more requests seem slow.
    if (isBeaten) context.hedges.learn(request.pool, request.facts, atNodeMs)
    this.note(attempt.place, attemptRecord(request, attempt, end, isBeaten))
    this.isBodyFree &&= end.isSent
    this.rest(node, end)
    tellOutcome(context, node, end)
    this.events.onEach(node, atNodeMs, end)
    // The other one goes on: it has answered first, or it may still answer; or it sees the client leave in this very turn.
    if (running.length > 0 && (isBeaten || end.movable || end.outcome === 'cancelled')) return
    this.hedging?.cancel()
    this.events.onEnd(node, end)
  }

  /** A list that is made with what is in it has no room to spare, and records are kept. */
  private note(place: number, record: AttemptRecord): void {
    if (place === 0 && this.records.length === 0) this.records = [record]
    else this.records[place] = record
  }

  /** A node that asks for a pause, or says that it loads, is left alone for a while. */
  private rest(node: RosterNode, { rest, verdict, retryAfter }: AttemptEnd): void {
    const { clock, cooldowns } = this.context
    if (rest === undefined && verdict !== 'loading') return
    cooldowns.begin(node, retryAfterMs(rest?.retryAfter ?? retryAfter, clock.epochMs()), clock.nowMs())
  }
}
