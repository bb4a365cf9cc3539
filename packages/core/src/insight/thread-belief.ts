import type { Clock } from '../base/index.js'
import type { Candidate, Lease, LoadFacts, PrefixMatch, RequestFacts, Strategy } from '../contracts/index.js'
import { BeliefLease, type LeaseContext } from './belief-lease.js'
import { BeliefNews, readNews } from './belief-news.js'
import type { Belief, BeliefOptions, MirrorReading } from './belief.js'
import { CacheTruth, type CacheSample } from './cache-truth.js'
import { judgeCache } from './judge-cache.js'
import { KV_TOKENS, LeaseRows } from './lease-rows.js'
import { NodeRow } from './node-row.js'
import type { BlockChain, Pin } from './pin.js'
import { PrefixMirror } from './prefix-mirror.js'
import { RemoteLeases } from './remote-leases.js'
import { SpeedBook, type Gap } from './speed-book.js'

export function createBelief(options: BeliefOptions): Belief {
  return new ThreadBelief(options)
}

class ThreadBelief implements Belief, LeaseContext {
  readonly rows: LeaseRows
  readonly truth: CacheTruth
  readonly mirror: PrefixMirror
  readonly clock: Clock
  readonly aheadMs: number
  readonly news: BeliefNews | undefined
  readonly onFault: (error: unknown) => void
  private readonly isFirst: boolean
  private readonly onGap: BeliefOptions['onGap']
  private readonly speeds: SpeedBook
  private readonly remote: RemoteLeases
  private readonly nodes: (NodeRow | undefined)[] = []
  private leases = 0

  constructor(options: BeliefOptions) {
    const { clock, aheadMs = 0, thread = 0, onNews, onGap, onFault, mostBlocks } = options
    this.clock = clock
    this.aheadMs = aheadMs
    this.isFirst = thread === 0
    this.onGap = onGap
    this.rows = new LeaseRows(options)
    this.truth = new CacheTruth(this.rows)
    this.speeds = new SpeedBook(this.rows)
    this.mirror = new PrefixMirror({
      onUnread: (node, tokens) => this.rows.add(node, KV_TOKENS, -tokens),
      capacityOf: (node) => this.truth.capacityOf(node),
      ...(mostBlocks === undefined ? {} : { mostBlocks }),
    })
    this.remote = new RemoteLeases(this.mirror)
    this.news = onNews === undefined ? undefined : new BeliefNews(onNews)
    this.onFault = onFault ?? (() => undefined)
  }

  get buffer(): SharedArrayBuffer {
    return this.rows.buffer
  }

  get mirrorBytes(): number {
    return this.mirror.bytes
  }

  of(node: { readonly index: number }): NodeRow {
    return (this.nodes[node.index] ??= new NodeRow(this, node.index))
  }

  cachedTokens(facts: RequestFacts, candidates: readonly Candidate[]): PrefixMatch {
    const match = this.mirror.cachedTokens(facts, candidates)
    for (let position = 0; position < candidates.length; position += 1) {
      const candidate = candidates[position]
      if (candidate === undefined || match.promisedTokens[position] === 0) continue
      if (this.truth.isTrusted(candidate.index) && this.isKnown(candidate)) continue
      match.presentTokens[position] = 0
      match.promisedTokens[position] = 0
    }
    return match
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
    this.forgetThread(dead)
  }

  forgetThread(dead: number): void {
    this.remote.endAll(dead)
  }

  learnLoad(index: number, facts: LoadFacts): void {
    const row = this.of({ index })
    // A count since the engine's start that goes down: it was started anew, behind a node that did not change.
    if (this.isFirst && (facts.promptTokens ?? Infinity) < (row.load?.promptTokens ?? 0)) this.clearCache(index)
    row.load = facts
    row.loadAtMs = this.clock.nowMs()
    if (this.isFirst) this.truth.learnLoad(index, facts)
  }

  learnCapacity(index: number, tokens: number): void {
    this.truth.learnCapacity(index, tokens)
  }

  forget(index: number): void {
    this.forgotten(index)
    this.news?.forgotten(index)
    if (!this.isFirst) return
    this.truth.forget(index)
    this.speeds.forget(index)
  }

  clearCache(index: number): void {
    this.emptied(index)
    this.news?.cleared(index)
  }

  takeNews(): Float64Array {
    return this.news?.take() ?? new Float64Array(0)
  }

  snapshot(): Float64Array {
    const news = new BeliefNews(() => undefined)
    for (const row of this.nodes)
      if (row?.incarnation !== undefined && this.mirror.blocksAt(row.index) > 0)
        news.held({ index: row.index, incarnation: row.incarnation }, this.mirror.heldBy(row.index))
    return news.take()
  }

  hear(news: Float64Array, thread: number): void {
    const { mirror, remote } = this
    readNews(news, {
      opened: (lease, life, chain) => {
        if (this.isThisLife(life)) remote.open(thread, lease, mirror.pin(life.index, chain))
      },
      computed: (lease) => remote.computed(thread, lease),
      ended: (lease) => remote.end(thread, lease),
      held: (life, chain) => {
        if (this.isThisLife(life)) mirror.hold(life.index, chain)
      },
      cleared: (index) => this.emptied(index),
      forgotten: (index) => this.forgotten(index),
      gap: (index, gap, kin) => this.learnPace(index, gap, kin),
      answered: (index, sample) => this.learnSample(index, sample),
    })
  }

  mirrorOf(index: number): MirrorReading {
    const { mirror, truth } = this
    return {
      blocks: mirror.blocksAt(index),
      tokens: mirror.tokensAt(index),
      capacityTokens: truth.capacityOf(index),
      trust: truth.trustOf(index),
    }
  }

  nextLease(): number {
    this.leases += 1
    return this.leases
  }

  /** The row of a node that gets a request. One that died and came back holds nothing of what its last life held. */
  meet(node: Candidate): NodeRow {
    const row = this.of(node)
    if (row.id !== node.id) {
      // Late news of a node that had the row before may have come in between.
      if (row.id !== undefined || row.incarnation !== (node.incarnation ?? 0)) this.forgotten(node.index)
      row.id = node.id
      row.kin = kinOf(node.id)
    }
    this.isThisLife({ index: node.index, incarnation: node.incarnation ?? 0 })
    return row
  }

  holds(node: Candidate, chain: BlockChain): void {
    this.mirror.hold(node.index, chain)
    this.news?.held({ index: node.index, incarnation: node.incarnation ?? 0 }, chain)
  }

  learnGap(row: NodeRow, gap: Gap): void {
    this.learnPace(row.index, gap, row.kin)
    this.news?.gap(row.index, gap, row.kin)
  }

  /** What the usage of an answer says of the belief that the request was sent with. */
  learnCache(row: NodeRow, pin: Pin, told: { readonly facts: RequestFacts; readonly toldTokens: number }): void {
    const sample = judgeCache(this.mirror, pin, { ...told, blockTokens: row.load?.kvBlockTokens ?? 0 })
    if (sample === undefined) return
    this.learnSample(row.index, sample)
    this.news?.answered(row.index, sample)
  }

  private learnSample(index: number, sample: CacheSample): void {
    if (this.isFirst) this.truth.learn(index, sample)
  }

  private learnPace(index: number, gap: Gap, kin: number): void {
    if (!this.isFirst) return
    this.speeds.learn(index, gap, { kin, atMs: this.clock.nowMs() + this.aheadMs })
    this.onGap?.(index, gap)
  }

  /** The life that the mirror holds something of. */
  private isKnown({ id, index, incarnation = 0 }: Candidate): boolean {
    const row = this.of({ index })
    return row.incarnation === incarnation && (row.id === undefined || row.id === id)
  }

  /** The row is another node's from now on, or nobody's. */
  private forgotten(index: number): void {
    this.emptied(index)
    this.of({ index }).reset()
  }

  /** False for a life that is over; the first word of a new one empties the mirror. */
  private isThisLife({ index, incarnation }: { readonly index: number; readonly incarnation: number }): boolean {
    const row = this.of({ index })
    if (row.incarnation === incarnation) return true
    if (row.incarnation !== undefined && row.incarnation > incarnation) return false
    if (row.incarnation !== undefined) this.emptied(index)
    row.incarnation = incarnation
    return true
  }

  private emptied(index: number): void {
    this.rows.add(index, KV_TOKENS, -this.mirror.clear(index))
  }
}

/** A number for the pool that a node's id names. */
function kinOf(nodeId: string): number {
  let kin = 0x811c9dc5
  for (let at = 0; at < nodeId.length && nodeId[at] !== '/'; at += 1) kin = Math.imul(kin ^ nodeId.charCodeAt(at), 0x01000193)
  return kin >>> 0 || 1
}
