import type { AttemptRecord, RosterNode } from '../contracts/index.js'
import { NO_HASHES } from '../dialects/index.js'
import { recordOf } from './account.js'
import type { Admitted } from './admit.js'
import { isOwnMistake } from './answer-doubts.js'
import type { Question } from './filters.js'
import type { AttemptEnd } from './forward.js'
import { backOnly } from './open-question.js'
import type { Outings } from './outings.js'
import type { Parting } from './parting.js'
import { choiceFor } from './pick.js'
import type { ProxyContext } from './proxy-context.js'
import { didWork } from './retries/effort.js'
import { canGoOnAtTrusted } from './resumption.js'

/** A try that failed. */
interface FailedTry {
  readonly node: RosterNode
  readonly end: AttemptEnd
  readonly question: Question
  /** All tries so far. */
  readonly records: readonly AttemptRecord[]
}

/**
 * The way of one request back to the trusted revision of its pool, from one that is tried out and has failed it. Where nobody trusted is there, it stands in the
 * pool's line until somebody is, or until what failed it is trusted itself.
 */
export class WayBack {
  /** There while its place in line is kept for it. */
  private kept: Outings | undefined

  constructor(
    private readonly context: ProxyContext,
    private readonly request: Admitted,
    private readonly parting: Parting,
  ) {}

  /** It is about to be sent there. False: it would fail like all of late, and no place in line is left for it then. */
  goesTo(node: RosterNode, question: Question, isLineFull: () => boolean): boolean {
    const { parting, outings } = this
    parting.asks(node)
    if (!parting.triesOut(node) || this.isTrustedThere(backOnly(question))) return true
    if (isLineFull()) return !outings.allFail
    outings.kept += 1
    this.kept = outings
    return true
  }

  /** Whether it matters when its node begins to answer. */
  get isOut(): boolean {
    return this.kept !== undefined
  }

  /** A stream that has begun comes back by another way than this, if at all. */
  onContent(): void {
    if (this.request.scan.stream) this.end()
  }

  answered(node: RosterNode): void {
    if (this.parting.triesOut(node)) this.outings.failed = 0
  }

  /** A try was in vain. `moves`: to the trusted revision, at once and for nothing. `waits`: for it. Undefined: the pool's rules say what becomes of it. */
  failed({ node, end, question, records }: FailedTry): 'moves' | 'waits' | undefined {
    const { parting, request } = this
    this.end()
    const isFirst = parting.moveBack(node)
    if (end.resumption !== undefined && !canGoOnAtTrusted(request, end.resumption)) parting.settle()
    if ((isFirst || parting.isOwed) && this.isTrustedThere(question)) return 'moves'
    const isOwn = end.isDoubted === true && isOwnMistake(end.status)
    // A stream is lost after a few nodes in vain: the one that could not go on with it is not asked again and again.
    const mayWait = (end.isDoubted === true && !isOwn) || (end.resumption?.fruitless ?? 0) > 0
    // The rollout was taken back meanwhile, and the old nodes are not there yet.
    if (!parting.isOwed) return isFirst && mayWait && !this.isThere(node) ? 'waits' : undefined
    if (isFirst && !isOwn) this.note(node, end, records)
    if (!mayWait) return undefined
    parting.insist()
    return 'waits'
  }

  /** The pool's rules say that it has had its tries. True: but for that one which it is owed, and waits for. */
  goesOn(): boolean {
    if (this.parting.isOwed) this.parting.insist()
    return this.parting.isInsisting
  }

  /** No place is kept any more. */
  end(): void {
    if (this.kept !== undefined) this.kept.kept -= 1
    this.kept = undefined
  }

  /** Whoever judges the revision must not wait for as long as the request does. */
  private note(node: RosterNode, end: AttemptEnd, attempts: readonly AttemptRecord[]): void {
    const { context, request } = this
    if (didWork(end)) this.outings.failed += 1
    const walk = { attempts: [...attempts], node, inLineMs: 0, end, isBodyFree: false, error: undefined }
    const record = recordOf(context, { entered: request, admitted: request, walk, error: undefined })
    context.onSentBack({ ...record, prefixHashes: NO_HASHES })
  }

  private isThere({ connectionKey }: RosterNode): boolean {
    const { rosters } = this.context
    return rosters
      .current()
      .routable(this.request.pool.name)
      .some((node) => node.connectionKey === connectionKey)
  }

  private isTrustedThere(question: Question): boolean {
    return choiceFor(this.context, question).fitting.some((node) => this.parting.isTrusted(node))
  }

  private get outings(): Outings {
    return this.context.lines.of(this.request.pool).outings
  }
}
