import type { Clock } from '../base/index.js'
import type { Candidate, Lease, LeaseEnd, RequestFacts, RoutingEvent, Strategy, Usage } from '../contracts/index.js'
import { IN_FLIGHT, KV_TOKENS, TOKENS } from './lease-rows.js'
import type { NodeRow, Waiting } from './node-row.js'
import type { BeliefNews } from './belief-news.js'
import type { CacheTruth } from './cache-truth.js'
import type { BlockChain, Pin } from './pin.js'
import type { PrefixMirror } from './prefix-mirror.js'
import type { Gap } from './speed-book.js'

/** A gap is measured over so many tokens: single ones come in the rhythm of sockets. */
const GAP_TOKENS = 4
/** Or over fewer that take so long. */
const LONG_GAP_MS = 60
/** No more than one gap of a node in this time. */
const GAP_EVERY_MS = 20

/** What a claim needs of the belief that it is part of. */
export interface LeaseContext {
  readonly clock: Clock
  readonly mirror: PrefixMirror
  readonly truth: CacheTruth
  readonly news: BeliefNews | undefined
  readonly onFault: (error: unknown) => void
  nextLease(): number
  /** The row of a node that gets a request. */
  meet(node: Candidate): NodeRow
  holds(node: Candidate, chain: BlockChain): void
  learnGap(row: NodeRow, gap: Gap): void
  learnCache(row: NodeRow, pin: Pin, told: { readonly facts: RequestFacts; readonly toldTokens: number }): void
}

/** One claim. Counts itself out once, whoever asks and however often. */
export class BeliefLease implements Lease, Waiting {
  readonly prefillTokens: number
  readonly promptTokens: number
  readonly silentTokens: number
  readonly believedCachedTokens: number
  before: Waiting | undefined
  behind: Waiting | undefined
  private readonly row: NodeRow
  private readonly pin: Pin
  private readonly number: number
  private readonly tokensInFlight: number
  readonly openedMs: number
  /** Among those that may say nothing before their end. */
  place = -1
  isAged = false
  private firstTokenMs: number | undefined
  private ownKvTokens = 0
  private open = true
  private isWaiting = true
  /** Since when the tokens of the next gap are counted. */
  private gapSinceMs: number | undefined
  private gapTokens = 0
  private isHeldUp = false

  constructor(
    private readonly belief: LeaseContext,
    private readonly node: Candidate,
    private readonly facts: RequestFacts,
    private readonly strategy: Strategy | undefined,
  ) {
    const { mirror, truth, clock, news } = belief
    this.row = belief.meet(node)
    this.openedMs = clock.nowMs()
    this.pin = mirror.pin(node.index, facts, facts.promptTokens)
    this.number = belief.nextLease()
    news?.opened(this.number, { index: node.index, incarnation: node.incarnation ?? 0 }, facts)
    this.believedCachedTokens = truth.isTrusted(node.index) ? Math.max(0, this.pin.promisedTokens) : 0
    this.tokensInFlight = Math.max(0, Math.round(facts.promptTokens + facts.outputTokens))
    this.prefillTokens = Math.max(0, Math.round(facts.promptTokens - this.believedCachedTokens))
    this.promptTokens = Math.max(0, Math.round(facts.promptTokens))
    this.silentTokens = Math.max(0, Math.round(facts.silentTokens ?? 0))
    if (this.row.inFlight === 0) this.row.progressed(this.openedMs)
    this.row.add(IN_FLIGHT, 1)
    this.row.add(TOKENS, this.tokensInFlight)
    this.row.enter(this, this.openedMs)
    this.row.keepsSilent(this)
    if (strategy?.observe !== undefined) this.dispatched()
  }

  firstToken(): void {
    if (!this.open || this.firstTokenMs !== undefined) return
    const { belief, facts, node, row } = this
    const atMs = belief.clock.nowMs()
    this.firstTokenMs = atMs
    row.spoke(this, atMs)
    if (!this.isPlain) row.sawFirst(this, atMs)
    row.beginAhead(this, atMs)
    this.begin(atMs)
    if (this.strategy?.observe === undefined) return
    const { believedCachedTokens } = this
    this.tell({ kind: 'first-token', facts, node, atMs, ttftMs: atMs - this.openedMs, believedCachedTokens })
  }

  get isPlain(): boolean {
    return !this.facts.stream
  }

  begin(atMs: number): void {
    if (!this.isWaiting) return
    const { belief, facts, pin, row } = this
    this.isWaiting = false
    row.leave(this, atMs)
    const newlyRead = belief.mirror.compute(pin, true)
    belief.news?.computed(this.number)
    this.ownKvTokens = Math.max(0, Math.round(facts.promptTokens + facts.outputTokens / 2) - pin.blockTokens)
    row.add(KV_TOKENS, this.ownKvTokens + newlyRead)
  }

  tokens(count: number): void {
    const { belief, row } = this
    if (!this.open || !(count > 0)) return
    const atMs = belief.clock.nowMs()
    row.spoke(this, atMs)
    this.gapTokens += count
    const sinceMs = this.gapSinceMs
    if (this.isHeldUp) return
    if (sinceMs !== undefined && this.gapTokens < GAP_TOKENS && atMs - sinceMs < LONG_GAP_MS) return
    if (sinceMs !== undefined && this.isClean(sinceMs, atMs)) {
      row.measuredMs = atMs
      belief.learnGap(row, { msPerToken: (atMs - sinceMs) / this.gapTokens, decoding: row.inFlight, kvTokens: row.kvTokens })
    }
    this.gapSinceMs = atMs
    this.gapTokens = 0
  }

  heldUp(): void {
    this.isHeldUp = true
  }

  settle(end?: LeaseEnd): void {
    if (!this.open) return
    this.open = false
    const { belief, row, pin } = this
    const atMs = belief.clock.nowMs()
    if (this.isWaiting) this.leave(end?.outcome, atMs)
    if (end?.outcome === 'answered' && end.usage !== undefined) this.learnCache(end.usage)
    if (end?.outcome === 'answered') row.spoke(this, atMs)
    else row.fallSilentNoMore(this)
    row.add(IN_FLIGHT, -1)
    row.add(TOKENS, -this.tokensInFlight)
    row.add(KV_TOKENS, -this.ownKvTokens - belief.mirror.unpin(pin))
    if (end?.holds !== undefined) belief.holds(this.node, end.holds)
    belief.news?.ended(this.number)
    if (end !== undefined && this.strategy?.observe !== undefined) this.settled(end, atMs)
  }

  /** At the end without a first token. Answers that come whole may be told of at their end only. */
  private leave(outcome: LeaseEnd['outcome'] | undefined, atMs: number): void {
    const { belief, pin, row } = this
    this.isWaiting = false
    const wasComputed = outcome === 'answered'
    if (wasComputed) row.beginAhead(this, atMs)
    row.leave(this, atMs)
    if (!wasComputed) return
    belief.mirror.compute(pin, false)
    belief.news?.computed(this.number)
  }

  /** True where no prompt was computed on the node in all of the gap. */
  private isClean(sinceMs: number, atMs: number): boolean {
    const { row } = this
    if (sinceMs >= atMs || atMs - row.measuredMs < GAP_EVERY_MS) return false
    if (row.waiting > 0) row.age(atMs)
    return !row.isComputing && row.lastWaitingMs <= sinceMs
  }

  private learnCache({ promptTokens, cachedTokens }: Usage): void {
    const found = this.row.foundTokens(this.facts.stream, cachedTokens)
    if (found === undefined || promptTokens <= 0) return
    this.belief.learnCache(this.row, this.pin, { facts: this.facts, toldTokens: (found * this.facts.promptTokens) / promptTokens })
  }

  /** A strategy that fails here gets no request: the claim is taken back. */
  private dispatched(): void {
    const { facts, node } = this
    try {
      this.strategy?.observe?.({ kind: 'dispatched', facts, node, atMs: this.openedMs })
    } catch (error) {
      this.settle()
      throw error
    }
  }

  private settled({ outcome, usage, outputTokens }: LeaseEnd, atMs: number): void {
    const { facts, node, openedMs, firstTokenMs } = this
    this.tell({
      kind: 'settled',
      facts,
      node,
      atMs,
      outcome,
      promptTokens: usage?.promptTokens ?? facts.promptTokens,
      outputTokens: usage?.completionTokens ?? outputTokens ?? 0,
      cachedTokens: usage?.cachedTokens,
      ttftMs: firstTokenMs === undefined ? undefined : firstTokenMs - openedMs,
      totalMs: atMs - openedMs,
    })
  }

  /** The answer goes on, whatever the strategy makes of the news. */
  private tell(event: RoutingEvent): void {
    try {
      this.strategy?.observe?.(event)
    } catch (error) {
      this.belief.onFault(error)
    }
  }
}
