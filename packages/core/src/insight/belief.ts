import type { Clock } from '../base/index.js'
import type {
  BeliefView,
  Candidate,
  Lease,
  LeaseBook,
  LeaseEnd,
  LoadFacts,
  NodeRows,
  PrefixMatch,
  RequestFacts,
  Strategy,
} from '../contracts/index.js'
import { IN_FLIGHT, KV_TOKENS, LeaseRows, type LeaseRowsOptions, PREFILL_TOKENS, TOKENS, WAITING } from './lease-rows.js'
import { NodeRow } from './node-row.js'
import { PrefixMirror } from './prefix-mirror.js'

export interface BeliefOptions extends LeaseRowsOptions {
  readonly clock: Clock
}

/** All that one thread believes, and its share of what all threads count. */
export interface Belief extends BeliefView, LeaseBook, NodeRows {
  readonly buffer: SharedArrayBuffer
  clearThread(dead: number): void
  learnLoad(index: number, facts: LoadFacts): void
  /** The node is gone, or another process is behind it: its cache is empty. */
  forget(index: number): void
}

export function createBelief(options: BeliefOptions): Belief {
  return new ThreadBelief(options)
}

class ThreadBelief implements Belief {
  readonly rows: LeaseRows
  readonly mirror = new PrefixMirror()
  readonly clock: Clock
  private readonly nodes: (NodeRow | undefined)[] = []

  constructor(options: BeliefOptions) {
    this.clock = options.clock
    this.rows = new LeaseRows(options)
  }

  get buffer(): SharedArrayBuffer {
    return this.rows.buffer
  }

  of(node: { readonly index: number }): NodeRow {
    return (this.nodes[node.index] ??= new NodeRow(this.rows, node.index))
  }

  cachedTokens(facts: RequestFacts, candidates: readonly Candidate[]): PrefixMatch {
    return this.mirror.cachedTokens(facts, candidates)
  }

  open(node: Candidate, facts: RequestFacts, strategy?: Strategy): Lease {
    return new BeliefLease(this, node, facts, strategy)
  }

  takeRow(): number {
    return this.rows.takeRow()
  }

  freeRow(index: number): void {
    this.rows.freeRow(index)
    this.forget(index)
  }

  countOf(index: number): number {
    return this.rows.countOf(index)
  }

  clearThread(dead: number): void {
    this.rows.clearThread(dead)
  }

  learnLoad(index: number, facts: LoadFacts): void {
    const row = (this.nodes[index] ??= new NodeRow(this.rows, index))
    row.load = facts
    row.loadAtMs = this.clock.nowMs()
    if (facts.kvBlocks !== undefined && facts.kvBlockTokens !== undefined)
      this.mirror.setCapacity(index, facts.kvBlocks * facts.kvBlockTokens)
  }

  forget(index: number): void {
    this.mirror.clear(index)
    const row = this.nodes[index]
    if (row === undefined) return
    row.slowness = 1
    row.load = undefined
  }
}

/** One claim. Counts itself out once, whoever asks and however often. */
class BeliefLease implements Lease {
  readonly prefillTokens: number
  private readonly row: NodeRow
  private readonly tokensInFlight: number
  private readonly believedCachedTokens: number
  private readonly openedMs: number
  private ttftMs: number | undefined
  private kvTokens = 0
  private open = true
  private waiting = true

  constructor(
    private readonly belief: ThreadBelief,
    private readonly node: Candidate,
    private readonly facts: RequestFacts,
    private readonly strategy: Strategy | undefined,
  ) {
    this.row = belief.of(node)
    this.openedMs = belief.clock.nowMs()
    this.tokensInFlight = Math.max(0, Math.round(facts.promptTokens + facts.outputTokens))
    this.believedCachedTokens = belief.cachedTokens(facts, [node]).promisedTokens[0] ?? 0
    this.prefillTokens = Math.max(0, Math.round(facts.promptTokens - this.believedCachedTokens))
    if (this.row.inFlight === 0) this.row.lastProgressMs = this.openedMs
    this.count(IN_FLIGHT, 1)
    this.count(WAITING, 1)
    this.count(TOKENS, this.tokensInFlight)
    this.count(PREFILL_TOKENS, this.prefillTokens)
    if (this.row.queue.size === 0) this.row.headSinceMs = this.openedMs
    this.row.queue.add(this)
    belief.mirror.promise(node.index, facts)
    strategy?.observe?.({ kind: 'dispatched', facts, node, atMs: this.openedMs })
  }

  firstToken(): void {
    if (!this.waiting || !this.open) return
    const { belief, facts, node, strategy } = this
    this.leaveQueue()
    const atMs = belief.clock.nowMs()
    this.ttftMs = atMs - this.openedMs
    this.row.lastProgressMs = atMs
    this.kvTokens = Math.round(facts.promptTokens + facts.outputTokens / 2)
    this.count(KV_TOKENS, this.kvTokens)
    belief.mirror.store(node.index, facts)
    strategy?.observe?.({ kind: 'first-token', facts, node, atMs, ttftMs: this.ttftMs, believedCachedTokens: this.believedCachedTokens })
  }

  tokens(): void {
    this.row.lastProgressMs = this.belief.clock.nowMs()
  }

  settle(end?: LeaseEnd): void {
    if (!this.open) return
    this.open = false
    if (this.waiting) this.leaveQueue()
    this.count(IN_FLIGHT, -1)
    this.count(TOKENS, -this.tokensInFlight)
    this.count(KV_TOKENS, -this.kvTokens)
    if (end === undefined) return
    const { facts, node, ttftMs, openedMs } = this
    const atMs = this.belief.clock.nowMs()
    const { outcome, usage } = end
    this.strategy?.observe?.({
      kind: 'settled',
      facts,
      node,
      atMs,
      outcome,
      promptTokens: usage?.promptTokens ?? facts.promptTokens,
      outputTokens: usage?.completionTokens ?? end.outputTokens ?? 0,
      cachedTokens: usage?.cachedTokens,
      ttftMs,
      totalMs: atMs - openedMs,
    })
  }

  private leaveQueue(): void {
    this.waiting = false
    this.row.queue.delete(this)
    this.row.headSinceMs = this.belief.clock.nowMs()
    this.count(WAITING, -1)
    this.count(PREFILL_TOKENS, -this.prefillTokens)
  }

  private count(field: number, amount: number): void {
    this.belief.rows.add(this.node.index, field, amount)
  }
}
