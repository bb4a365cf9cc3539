import type { Candidate, PrefixMatch, RequestFacts } from '../contracts/index.js'
import { BlockTable, grown } from './block-table.js'
import { Holdings, NONE } from './holdings.js'
import { Pin, type BlockChain } from './pin.js'
import { PrefixWalk } from './prefix-walk.js'

export interface MirrorOptions {
  /** Tokens that a node's cache holds. */
  readonly capacityOf: (node: number) => number
  /** Most blocks of all nodes together. */
  readonly mostBlocks?: number
  /** Most memory of the table of blocks. */
  readonly mostTableBytes?: number
  /** So many tokens are read no more, because all was forgotten. */
  readonly onUnread?: (node: number, tokens: number) => void
}

const MOST_BLOCKS = 1_048_576
const MOST_TABLE_BYTES = 67_108_864
const MOST_IDLE_PINS = 1_024
/** Taken from the fullest node at once where memory is short. */
const TAKEN_AT_ONCE = 256

/**
 * What each node's prefix cache holds, as far as it can be told from what was sent there: blocks by hash with the set of nodes that hold them, and for
 * each node an order of last use, bounded in tokens. Blocks in use are kept; the rest is forgotten in the order in which it was let go, tails first.
 */
export class PrefixMirror {
  private readonly blocks: BlockTable
  private readonly holdings: Holdings
  private readonly capacityOf: (node: number) => number
  private readonly onUnread: MirrorOptions['onUnread']
  /** By node. */
  private heldTokens = new Float64Array(32)
  private heldBlocks = new Int32Array(32)
  private readTokens = new Float64Array(32)
  private lives = new Int32Array(32)
  private readonly walk: PrefixWalk
  private readonly idle: Pin[] = []
  private letGo = 0

  constructor({ capacityOf, mostBlocks = MOST_BLOCKS, mostTableBytes = MOST_TABLE_BYTES, onUnread }: MirrorOptions) {
    this.capacityOf = capacityOf
    this.onUnread = onUnread
    this.blocks = new BlockTable(mostTableBytes)
    this.walk = new PrefixWalk(this.blocks)
    this.holdings = new Holdings(mostBlocks)
  }

  /** Blocks that are known of all nodes; one that two nodes hold counts twice. */
  get entries(): number {
    return this.holdings.size
  }

  get bytes(): number {
    return this.blocks.bytes + this.holdings.bytes
  }

  tokensAt(node: number): number {
    return this.heldTokens[node] ?? 0
  }

  blocksAt(node: number): number {
    return this.heldBlocks[node] ?? 0
  }

  cachedTokens(facts: RequestFacts, candidates: readonly Candidate[]): PrefixMatch {
    return this.walk.cachedTokens(facts, candidates)
  }

  /** The prompt is on its way to the node: its blocks are promised there, and in use until `unpin`. */
  pin(node: number, chain: BlockChain, promptTokens = Infinity): Pin {
    this.widen(node)
    const { blocks, holdings } = this
    const { prefixHashes } = chain
    this.reserve(prefixHashes.length)
    const pin = this.idle.pop() ?? new Pin()
    pin.reset(node, this.lives[node] ?? 0)
    const slots = this.walk.remembered(chain)
    for (let at = 0; at < prefixHashes.length; at += 1) {
      const slot = at < slots.length ? (slots[at] ?? NONE) : blocks.find(prefixHashes[at] ?? 0)
      const held = slot === NONE || !blocks.holds(slot, node) ? NONE : holdings.find(node, slot)
      const entry = held === NONE ? this.promise(node, slot, { chain, at }) : this.use(held, pin, at)
      if (entry === NONE) break
      holdings.users[entry] = (holdings.users[entry] ?? 0) + 1
      pin.entries[at] = entry
      pin.count = at + 1
    }
    pin.computedTokens = Math.min(promptTokens - 1, chain.prefixTokens(pin.computedBlocks))
    pin.promisedTokens = Math.min(promptTokens - 1, chain.prefixTokens(pin.heldBlocks))
    this.trim(node)
    return pin
  }

  /** A block that the node does not hold yet; -1 where there is no memory for it. */
  private promise(node: number, known: number, { chain, at }: { readonly chain: BlockChain; readonly at: number }): number {
    const { blocks, holdings } = this
    if (!holdings.roomFor(1)) return NONE
    const slot = known === NONE ? blocks.add(chain.prefixHashes[at] ?? 0, tokensOf(chain, at)) : known
    return slot === NONE ? NONE : this.newEntry(node, slot)
  }

  /** A block that the node holds. */
  private use(entry: number, pin: Pin, at: number): number {
    const { blocks, holdings } = this
    const isIdle = holdings.users[entry] === 0
    if (pin.heldBlocks === at) pin.heldBlocks = at + 1
    if (pin.computedBlocks === at && blocks.hasComputed(holdings.block[entry] ?? 0, pin.node)) {
      pin.computedBlocks = at + 1
      pin.lastStamp = isIdle ? (holdings.stamp[entry] ?? Infinity) : Infinity
      if (at === 0) pin.firstStamp = pin.lastStamp
    }
    if (isIdle) holdings.take(entry)
    return entry
  }

  /** The node has computed the prompt. With `reads`, its steps read the blocks from now on: returns the tokens that none read before. */
  compute(pin: Pin, reads: boolean): number {
    if (!this.isOfThisLife(pin) || pin.isComputed) return 0
    const { blocks, holdings } = this
    const { node, entries, count } = pin
    pin.isComputed = true
    pin.isRead = reads
    let newlyRead = 0
    for (let at = 0; at < count; at += 1) {
      const entry = entries[at] ?? 0
      const slot = holdings.block[entry] ?? 0
      blocks.setComputed(slot, node)
      if (!reads) continue
      const readers = holdings.readers[entry] ?? 0
      const tokens = blocks.tokens[slot] ?? 0
      if (readers === 0) newlyRead += tokens
      pin.blockTokens += tokens
      holdings.readers[entry] = readers + 1
    }
    this.readTokens[node] = (this.readTokens[node] ?? 0) + newlyRead
    return newlyRead
  }

  /** The request has left the node. Blocks that nobody else uses and that were never computed were never there. Returns the tokens that none reads any more. */
  unpin(pin: Pin): number {
    let unread = 0
    if (this.isOfThisLife(pin)) {
      unread = this.release(pin)
      this.readTokens[pin.node] = (this.readTokens[pin.node] ?? 0) - unread
      this.trim(pin.node)
    }
    pin.count = 0
    if (this.idle.length < MOST_IDLE_PINS) this.idle.push(pin)
    return unread
  }

  /** The node holds these blocks now. */
  hold(node: number, chain: BlockChain): void {
    const pin = this.pin(node, chain)
    this.compute(pin, false)
    this.unpin(pin)
  }

  /** What the node holds and nobody uses, as one prompt that leaves its blocks in the same order when it is held elsewhere. */
  heldBy(node: number): BlockChain {
    const { blocks, holdings } = this
    const hashes: number[] = []
    const coveredTokens: number[] = [0]
    for (let entry = holdings.newestOf(node); entry !== NONE; entry = holdings.olderThan(entry)) {
      const slot = holdings.block[entry] ?? 0
      hashes.push(blocks.hashes[slot] ?? 0)
      coveredTokens.push((coveredTokens.at(-1) ?? 0) + (blocks.tokens[slot] ?? 0))
    }
    return { prefixHashes: Float64Array.from(hashes), prefixTokens: (count) => coveredTokens[count] ?? 0 }
  }

  /** What was let go before then is gone. */
  forgetOlder(node: number, stamp: number): void {
    const { holdings } = this
    for (let entry = holdings.oldestOf(node); entry !== NONE; entry = holdings.oldestOf(node)) {
      if ((holdings.stamp[entry] ?? 0) >= stamp) return
      this.drop(entry, false)
    }
  }

  /** The node's cache is empty. Returns the tokens that were being read. */
  clear(node: number): number {
    if (node >= this.lives.length) return 0
    const { holdings } = this
    this.lives[node] = ((this.lives[node] ?? 0) + 1) | 0
    for (let entry = holdings.oldestOf(node); entry !== NONE; entry = holdings.oldestOf(node)) this.drop(entry, false)
    for (let entry = holdings.usedOf(node); entry !== NONE; entry = holdings.usedOf(node)) this.drop(entry, true)
    const unread = this.readTokens[node] ?? 0
    this.readTokens[node] = 0
    return unread
  }

  /** Last block first, so that the beginning of a prompt is forgotten last. */
  private release({ node, entries, count, isRead }: Pin): number {
    const { blocks, holdings } = this
    let unread = 0
    for (let at = count - 1; at >= 0; at -= 1) {
      const entry = entries[at] ?? 0
      const slot = holdings.block[entry] ?? 0
      if (isRead) {
        const readers = (holdings.readers[entry] ?? 0) - 1
        holdings.readers[entry] = readers
        if (readers === 0) unread += blocks.tokens[slot] ?? 0
      }
      const users = (holdings.users[entry] ?? 0) - 1
      holdings.users[entry] = users
      if (users > 0) continue
      if (blocks.hasComputed(slot, node)) holdings.letGo(entry, ++this.letGo)
      else this.drop(entry, true)
    }
    return unread
  }

  /** Whether the node's cache was cleared since. */
  isOfThisLife(pin: Pin): boolean {
    return pin.life === this.lives[pin.node]
  }

  private newEntry(node: number, slot: number): number {
    const { blocks, holdings } = this
    const entry = holdings.add(node, slot)
    if (entry === NONE) return NONE
    blocks.addHolder(slot, node)
    this.heldTokens[node] = (this.heldTokens[node] ?? 0) + (blocks.tokens[slot] ?? 0)
    this.heldBlocks[node] = (this.heldBlocks[node] ?? 0) + 1
    return entry
  }

  private drop(entry: number, isUsed: boolean): void {
    const { blocks, holdings } = this
    const node = holdings.node[entry] ?? 0
    const slot = holdings.block[entry] ?? 0
    this.heldTokens[node] = (this.heldTokens[node] ?? 0) - (blocks.tokens[slot] ?? 0)
    this.heldBlocks[node] = (this.heldBlocks[node] ?? 0) - 1
    holdings.remove(entry, isUsed)
    blocks.removeHolder(slot, node)
  }

  private trim(node: number): void {
    const capacityTokens = this.capacityOf(node)
    const { holdings } = this
    while ((this.heldTokens[node] ?? 0) > capacityTokens) {
      const entry = holdings.oldestOf(node)
      if (entry === NONE) return
      this.drop(entry, false)
    }
  }

  /** Takes from the fullest nodes where so many blocks more would not fit. What does not fit even so is not mirrored. */
  private reserve(count: number): void {
    const { blocks, holdings } = this
    while (!blocks.roomFor(count) || !holdings.roomFor(count)) {
      let fullest = 0
      for (let node = 1; node < this.heldBlocks.length; node += 1)
        if ((this.heldBlocks[node] ?? 0) > (this.heldBlocks[fullest] ?? 0)) fullest = node
      if (holdings.oldestOf(fullest) === NONE) return
      for (let taken = 0; taken < TAKEN_AT_ONCE + count; taken += 1) {
        const entry = holdings.oldestOf(fullest)
        if (entry === NONE) break
        this.drop(entry, false)
      }
    }
  }

  /** A fleet that grew many times over leaves no room for the blocks that are known: rows of more nodes are longer. They are learned again within minutes. */
  private startOver(): void {
    for (let node = 0; node < this.lives.length; node += 1) {
      const unread = this.clear(node)
      if (unread > 0) this.onUnread?.(node, unread)
    }
    this.blocks.reset()
  }

  private widen(node: number): void {
    if (node < this.lives.length) return
    const nodes = 2 ** Math.ceil(Math.log2(node + 1))
    if (!this.blocks.canWiden(nodes)) this.startOver()
    this.blocks.widen(nodes)
    this.holdings.widen(nodes)
    this.heldTokens = grown(this.heldTokens, new Float64Array(nodes))
    this.heldBlocks = grown(this.heldBlocks, new Int32Array(nodes))
    this.readTokens = grown(this.readTokens, new Float64Array(nodes))
    this.lives = grown(this.lives, new Int32Array(nodes))
  }
}

function tokensOf(chain: BlockChain, at: number): number {
  return Math.max(1, Math.round(chain.prefixTokens(at + 1)) - Math.round(chain.prefixTokens(at)))
}
