import { MemberList, type Clock, type Listed } from '../base/index.js'
import type { LoadFacts, NodeBelief } from '../contracts/index.js'
import {
  HEAD_SINCE,
  HEAD_TOKENS,
  IN_FLIGHT,
  KV_TOKENS,
  LARGEST_TOKENS,
  LAST_WAITING,
  type LeaseRows,
  PREFILL_TOKENS,
  PROGRESS,
  SILENT_TOKENS,
  SLOWNESS,
  SLOWNESS_AT,
  TOKEN_AT,
  TOKENS,
  WAITING,
} from './lease-rows.js'
import { FirstTokens } from './first-tokens.js'
import { fadedSlowness } from './speed-book.js'
import type { CacheTruth } from './cache-truth.js'

/** A request in line for its first token. */
export interface Waiting extends Listed {
  readonly promptTokens: number
  readonly prefillTokens: number
  /** Its first token will not be seen: the answer comes whole. */
  readonly isPlain: boolean
  /** The longest answer that may come without a word before its end; 0 where each token is told. */
  readonly silentTokens: number
  readonly openedMs: number
  /** Its prompt must have been computed by now, although nobody could see it. */
  isAged: boolean
  /** Its prompt is computed. */
  begin(atMs: number): void
  before: Waiting | undefined
  behind: Waiting | undefined
}

export interface RowContext {
  readonly rows: LeaseRows
  readonly truth: CacheTruth
  readonly clock: Clock
  /** Time of the first thread minus that of this one. */
  readonly aheadMs: number
}

/** The line is looked through no more often: it may be long. */
const AGE_EVERY_MS = 40

/** The belief about one node: a view of its shared rows, and this thread's own line of waiting requests. */
export class NodeRow implements NodeBelief {
  load: LoadFacts | undefined
  loadAtMs = 0
  /** Which life of the node is known; undefined before the first request. */
  incarnation: number | undefined
  /** Whose row it is; undefined before the first request. */
  id: string | undefined
  /** Names its pool: nodes are compared with those of the same one. */
  kin = 0
  /** When a token gap was last measured here. */
  measuredMs = -Infinity
  /** Whether usage said once how much was cached, in streams and in answers that come whole. */
  private tellsCached = { stream: false, plain: false }
  private first: Waiting | undefined
  private last: Waiting | undefined
  private largestTokens = 0
  private readonly silent = new MemberList<Waiting>()
  private readonly firstTokens = new FirstTokens()
  private agedAtMs = -Infinity
  private mostSilentTokens = 0

  constructor(
    private readonly context: RowContext,
    readonly index: number,
  ) {}

  get inFlight(): number {
    return this.context.rows.sum(this.index, IN_FLIGHT)
  }

  get waiting(): number {
    return this.context.rows.sum(this.index, WAITING)
  }

  get tokensInFlight(): number {
    return this.context.rows.sum(this.index, TOKENS)
  }

  get prefillTokens(): number {
    return this.context.rows.sum(this.index, PREFILL_TOKENS)
  }

  get kvTokens(): number {
    return this.context.rows.sum(this.index, KV_TOKENS)
  }

  get headPrefillTokens(): number {
    return this.context.rows.headTokensAt(this.context.rows.headRow(this.index))
  }

  get largestPromptTokens(): number {
    return this.context.rows.most(this.index, LARGEST_TOKENS)
  }

  get silentTokens(): number {
    return this.context.rows.most(this.index, SILENT_TOKENS)
  }

  get lastTokenMs(): number {
    return this.context.rows.latest(this.index, TOKEN_AT) - this.context.aheadMs
  }

  get headSinceMs(): number {
    const { rows, aheadMs } = this.context
    const row = rows.headRow(this.index)
    return row < 0 ? 0 : rows.headSinceAt(row) - aheadMs
  }

  get lastProgressMs(): number {
    return this.context.rows.latest(this.index, PROGRESS) - this.context.aheadMs
  }

  /** A stream's first token came. */
  sawFirst({ openedMs, prefillTokens }: Waiting, atMs: number): void {
    this.firstTokens.learn(atMs - openedMs, prefillTokens)
  }

  /** Whether a prompt may be computed there now. */
  get isComputing(): boolean {
    return this.waiting > this.context.rows.agedOf(this.index)
  }

  /** Answers that come whole are waited for to their end; their prompts were computed long before that. */
  age(atMs: number): void {
    if (atMs - this.agedAtMs < AGE_EVERY_MS) return
    this.agedAtMs = atMs
    for (let each = this.first; each !== undefined; each = each.behind) {
      if (!each.isPlain || each.isAged) continue
      const doneMs = each.openedMs + this.firstTokens.mostFor(each.prefillTokens)
      if (doneMs > atMs) continue
      each.isAged = true
      this.context.rows.addAged(this.index, 1)
      this.waitedAt(doneMs)
    }
  }

  private waitedAt(atMs: number): void {
    const { rows, aheadMs } = this.context
    if (atMs > this.lastWaitingMs) rows.putTime(this.index, LAST_WAITING, atMs + aheadMs)
  }

  /** The last moment at which a request waited for its first token here. */
  get lastWaitingMs(): number {
    return this.context.rows.latest(this.index, LAST_WAITING) - this.context.aheadMs
  }

  get slowness(): number {
    const { rows, clock, aheadMs } = this.context
    const slowness = rows.toldOf(this.index, SLOWNESS)
    if (slowness === 0 || slowness === 1) return 1
    return fadedSlowness(slowness, clock.nowMs() + aheadMs - rows.toldOf(this.index, SLOWNESS_AT))
  }

  get cacheSource(): NodeBelief['cacheSource'] {
    return this.context.truth.sourceOf(this.index)
  }

  add(field: number, amount: number): void {
    this.context.rows.add(this.index, field, amount)
  }

  progressed(atMs: number): void {
    this.context.rows.putTime(this.index, PROGRESS, atMs + this.context.aheadMs)
  }

  /** Something of an answer came. */
  spoke(request: Waiting, atMs: number): void {
    this.progressed(atMs)
    this.context.rows.putTime(this.index, TOKEN_AT, atMs + this.context.aheadMs)
    this.fallSilentNoMore(request)
  }

  /** One in flight that may say nothing before its end. */
  keepsSilent(request: Waiting): void {
    if (request.silentTokens <= 0) return
    this.silent.add(request)
    if (request.silentTokens > this.mostSilentTokens) this.showSilent(request.silentTokens)
  }

  fallSilentNoMore(request: Waiting): void {
    if (request.silentTokens <= 0 || !this.silent.remove(request) || request.silentTokens < this.mostSilentTokens) return
    let most = 0
    for (const { silentTokens } of this.silent) {
      most = Math.max(most, silentTokens)
      if (most === this.mostSilentTokens) return
    }
    this.showSilent(most)
  }

  private showSilent(tokens: number): void {
    this.mostSilentTokens = tokens
    this.context.rows.put(this.index, SILENT_TOKENS, tokens)
  }

  /** Another node's row, or another process behind it. */
  reset(): void {
    this.load = undefined
    this.incarnation = undefined
    this.id = undefined
    this.tellsCached = { stream: false, plain: false }
  }

  /** What usage says was cached. Engines that say it leave it out where it is nothing. */
  foundTokens(stream: boolean, cachedTokens: number | undefined): number | undefined {
    const kind = stream ? 'stream' : 'plain'
    if (cachedTokens !== undefined) this.tellsCached[kind] = true
    return cachedTokens ?? (this.tellsCached[kind] ? 0 : undefined)
  }

  /** To the end of the line. */
  enter(request: Waiting, atMs: number): void {
    request.before = this.last
    request.behind = undefined
    if (this.last === undefined) this.first = request
    else this.last.behind = request
    this.last = request
    this.add(WAITING, 1)
    this.add(PREFILL_TOKENS, request.prefillTokens)
    if (request.promptTokens > this.largestTokens) this.showLargest(request.promptTokens)
    if (this.first === request) this.showHead(atMs)
  }

  /** Out of the line, from wherever in it. */
  leave(request: Waiting, atMs: number): void {
    const { before, behind } = request
    const wasFirst = this.first === request
    if (before === undefined) this.first = behind
    else before.behind = behind
    if (behind === undefined) this.last = before
    else behind.before = before
    // One that is gone must not lead to those that came after it: what is old and dead would keep them alive until a full collection.
    request.before = undefined
    request.behind = undefined
    this.add(WAITING, -1)
    this.add(PREFILL_TOKENS, -request.prefillTokens)
    if (wasFirst) this.showHead(atMs)
    if (request.promptTokens === this.largestTokens) this.findLargest()
    if (request.isAged) this.context.rows.addAged(this.index, -1)
    else this.waitedAt(atMs)
    this.age(atMs)
  }

  /** Engines compute prompts in the order in which they come: those before one that is computed are too, also where nobody can see it. */
  beginAhead(request: Waiting, atMs: number): void {
    for (let ahead = request.before; ahead !== undefined;) {
      const before: Waiting | undefined = ahead.before
      if (ahead.isPlain) ahead.begin(atMs)
      ahead = before
    }
  }

  private findLargest(): void {
    let largest = 0
    for (let each = this.first; each !== undefined; each = each.behind) {
      largest = Math.max(largest, each.promptTokens)
      if (largest === this.largestTokens) return
    }
    this.showLargest(largest)
  }

  private showLargest(tokens: number): void {
    this.largestTokens = tokens
    this.context.rows.put(this.index, LARGEST_TOKENS, tokens)
  }

  private showHead(atMs: number): void {
    const { rows, aheadMs } = this.context
    rows.put(this.index, HEAD_TOKENS, this.first?.prefillTokens ?? 0)
    rows.putTime(this.index, HEAD_SINCE, atMs + aheadMs)
  }
}
