import { grown } from './block-table.js'

export const NONE = -1
const FIRST_ENTRIES = 1_024
const FIRST_NODES = 32

/**
 * One entry for each block that a node holds: who uses it, and where it stands in the node's order of last use. Blocks in use stand in a list of their own,
 * as in an engine: they are not forgotten.
 */
export class Holdings {
  size = 0
  block = new Int32Array(FIRST_ENTRIES)
  node = new Int32Array(FIRST_ENTRIES)
  /** Requests at the node whose prompt has the block. */
  users = new Int32Array(FIRST_ENTRIES)
  /** Of those of this thread, the ones that decode. */
  readers = new Int32Array(FIRST_ENTRIES)
  /** When it was last let go, as a count of all that were. */
  stamp = new Float64Array(FIRST_ENTRIES)
  private older = new Int32Array(FIRST_ENTRIES)
  private newer = new Int32Array(FIRST_ENTRIES)
  private next = new Int32Array(FIRST_ENTRIES)
  private buckets = new Int32Array(2 * FIRST_ENTRIES).fill(NONE)
  private shift = 32 - Math.log2(2 * FIRST_ENTRIES)
  private free = NONE
  private used = 0
  /** Two lists for each node: unused, then used. */
  private oldest = new Int32Array(2 * FIRST_NODES).fill(NONE)
  private newest = new Int32Array(2 * FIRST_NODES).fill(NONE)

  constructor(private readonly mostEntries: number) {}

  get bytes(): number {
    const { stamp, buckets, oldest, newest } = this
    return 7 * this.block.byteLength + stamp.byteLength + buckets.byteLength + oldest.byteLength + newest.byteLength
  }

  roomFor(count: number): boolean {
    return this.size + count <= this.block.length || this.canGrow
  }

  /** -1 where the node does not hold the block. */
  find(node: number, block: number): number {
    const { next } = this
    let entry = this.buckets[this.bucketOf(node, block)] ?? NONE
    while (entry !== NONE && (this.block[entry] !== block || this.node[entry] !== node)) entry = next[entry] ?? NONE
    return entry
  }

  /** A new entry among the used ones; -1 where there are as many as there may be. */
  add(node: number, block: number): number {
    const entry = this.freeEntry()
    if (entry === NONE) return NONE
    const bucket = this.bucketOf(node, block)
    this.block[entry] = block
    this.node[entry] = node
    this.users[entry] = 0
    this.readers[entry] = 0
    this.next[entry] = this.buckets[bucket] ?? NONE
    this.buckets[bucket] = entry
    this.link(entry, 2 * node + 1)
    this.size += 1
    return entry
  }

  /** To the used ones. */
  take(entry: number): void {
    const list = 2 * (this.node[entry] ?? 0)
    this.unlink(entry, list)
    this.link(entry, list + 1)
  }

  /** To the unused ones, as the one that is forgotten last. */
  letGo(entry: number, stamp: number): void {
    const list = 2 * (this.node[entry] ?? 0)
    this.unlink(entry, list + 1)
    this.link(entry, list)
    this.stamp[entry] = stamp
  }

  /** Takes an entry out, from among the used or the unused ones. */
  remove(entry: number, isUsed: boolean): void {
    const node = this.node[entry] ?? 0
    this.unlink(entry, isUsed ? 2 * node + 1 : 2 * node)
    const bucket = this.bucketOf(node, this.block[entry] ?? 0)
    let before = NONE
    let at = this.buckets[bucket] ?? NONE
    while (at !== NONE && at !== entry) {
      before = at
      at = this.next[at] ?? NONE
    }
    const after = this.next[entry] ?? NONE
    if (before === NONE) this.buckets[bucket] = after
    else this.next[before] = after
    this.next[entry] = this.free
    this.free = entry
    this.size -= 1
  }

  /** The unused entry of a node that was let go first; -1 where it has none. */
  oldestOf(node: number): number {
    return this.oldest[2 * node] ?? NONE
  }

  /** An entry of the node that is used; -1 where it has none. */
  usedOf(node: number): number {
    return this.oldest[2 * node + 1] ?? NONE
  }

  /** The unused entry of a node that was let go last, and the one before any other; -1 where there is none. */
  newestOf(node: number): number {
    return this.newest[2 * node] ?? NONE
  }

  olderThan(entry: number): number {
    return this.older[entry] ?? NONE
  }

  widen(nodes: number): void {
    if (2 * nodes <= this.oldest.length) return
    const lists = 2 ** Math.ceil(Math.log2(2 * nodes))
    this.oldest = grown(this.oldest, new Int32Array(lists).fill(NONE))
    this.newest = grown(this.newest, new Int32Array(lists).fill(NONE))
  }

  private link(entry: number, list: number): void {
    const newest = this.newest[list] ?? NONE
    this.older[entry] = newest
    this.newer[entry] = NONE
    if (newest === NONE) this.oldest[list] = entry
    else this.newer[newest] = entry
    this.newest[list] = entry
  }

  private unlink(entry: number, list: number): void {
    const older = this.older[entry] ?? NONE
    const newer = this.newer[entry] ?? NONE
    if (older === NONE) this.oldest[list] = newer
    else this.newer[older] = newer
    if (newer === NONE) this.newest[list] = older
    else this.older[newer] = older
  }

  private bucketOf(node: number, block: number): number {
    return Math.imul(Math.imul(block, 0x9e3779b1) ^ (node + 1), 0x85ebca6b) >>> this.shift
  }

  private freeEntry(): number {
    const entry = this.free
    if (entry !== NONE) {
      this.free = this.next[entry] ?? NONE
      return entry
    }
    if (this.used === this.block.length && !this.grow()) return NONE
    this.used += 1
    return this.used - 1
  }

  private get canGrow(): boolean {
    return 2 * this.block.length <= this.mostEntries
  }

  private grow(): boolean {
    if (!this.canGrow) return false
    const entries = 2 * this.block.length
    this.block = grown(this.block, new Int32Array(entries))
    this.node = grown(this.node, new Int32Array(entries))
    this.users = grown(this.users, new Int32Array(entries))
    this.readers = grown(this.readers, new Int32Array(entries))
    this.stamp = grown(this.stamp, new Float64Array(entries))
    this.older = grown(this.older, new Int32Array(entries))
    this.newer = grown(this.newer, new Int32Array(entries))
    this.next = grown(this.next, new Int32Array(entries))
    this.rehash(entries)
    return true
  }

  /** Only ever called when no entry is free, so that each one is in a bucket. */
  private rehash(entries: number): void {
    this.buckets = new Int32Array(2 * entries).fill(NONE)
    this.shift -= 1
    for (let entry = 0; entry < this.used; entry += 1) {
      const bucket = this.bucketOf(this.node[entry] ?? 0, this.block[entry] ?? 0)
      this.next[entry] = this.buckets[bucket] ?? NONE
      this.buckets[bucket] = entry
    }
  }
}
