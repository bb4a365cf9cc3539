const NONE = -1
const FIRST_SLOTS = 1_024

/**
 * Blocks of prompts that some node holds, by hash. Each has two rows of bits: which nodes hold it, and which of them have computed it. Lives in typed
 * arrays, so that a block costs no object and nothing for the garbage collector to walk.
 */
export class BlockTable {
  /** Blocks known. */
  size = 0
  /** Goes up whenever a slot is given back: a slot that was remembered may then be another block's. */
  epoch = 0
  /** Words of 32 nodes in one row. */
  words = 1
  /** Of each slot: one row of the nodes that hold it, then one of those that have computed it. */
  rows = new Uint32Array(2 * FIRST_SLOTS)
  hashes = new Float64Array(FIRST_SLOTS)
  /** Whole tokens, so that sums come back to zero. */
  tokens = new Int32Array(FIRST_SLOTS)
  private holders = new Int32Array(FIRST_SLOTS)
  /** Next in the same bucket; of free slots, the next free one. */
  private next = new Int32Array(FIRST_SLOTS)
  private buckets = new Int32Array(2 * FIRST_SLOTS).fill(NONE)
  private shift = 32 - Math.log2(2 * FIRST_SLOTS)
  private free = NONE
  private used = 0

  constructor(private readonly mostBytes: number) {}

  /** What all of it takes. */
  get bytes(): number {
    const { rows, hashes, tokens, holders, next, buckets } = this
    return rows.byteLength + hashes.byteLength + tokens.byteLength + holders.byteLength + next.byteLength + buckets.byteLength
  }

  roomFor(count: number): boolean {
    return this.size + count <= this.hashes.length || this.canGrow
  }

  /** -1 where no node holds it. */
  find(hash: number): number {
    const { hashes, next } = this
    let slot = this.buckets[this.bucketOf(hash)] ?? NONE
    while (slot !== NONE && hashes[slot] !== hash) slot = next[slot] ?? NONE
    return slot
  }

  /** A slot for a block that is not known; -1 where there is no memory for one more. */
  add(hash: number, tokens: number): number {
    const slot = this.freeSlot()
    if (slot === NONE) return NONE
    const bucket = this.bucketOf(hash)
    this.hashes[slot] = hash
    this.tokens[slot] = tokens
    this.next[slot] = this.buckets[bucket] ?? NONE
    this.buckets[bucket] = slot
    this.size += 1
    return slot
  }

  holds(slot: number, node: number): boolean {
    return ((this.rows[2 * this.words * slot + (node >>> 5)] ?? 0) & (1 << (node & 31))) !== 0
  }

  hasComputed(slot: number, node: number): boolean {
    return ((this.rows[this.words * (2 * slot + 1) + (node >>> 5)] ?? 0) & (1 << (node & 31))) !== 0
  }

  addHolder(slot: number, node: number): void {
    const at = 2 * this.words * slot + (node >>> 5)
    this.rows[at] = (this.rows[at] ?? 0) | (1 << (node & 31))
    this.holders[slot] = (this.holders[slot] ?? 0) + 1
  }

  setComputed(slot: number, node: number): void {
    const at = this.words * (2 * slot + 1) + (node >>> 5)
    this.rows[at] = (this.rows[at] ?? 0) | (1 << (node & 31))
  }

  /** The last holder takes the block along. */
  removeHolder(slot: number, node: number): void {
    const mask = ~(1 << (node & 31))
    const at = 2 * this.words * slot + (node >>> 5)
    this.rows[at] = (this.rows[at] ?? 0) & mask
    this.rows[at + this.words] = (this.rows[at + this.words] ?? 0) & mask
    const left = (this.holders[slot] ?? 0) - 1
    this.holders[slot] = left
    if (left <= 0) this.remove(slot)
  }

  /** Gives a slot back that was added and got no holder. */
  remove(slot: number): void {
    const bucket = this.bucketOf(this.hashes[slot] ?? 0)
    let before = NONE
    let at = this.buckets[bucket] ?? NONE
    while (at !== NONE && at !== slot) {
      before = at
      at = this.next[at] ?? NONE
    }
    const after = this.next[slot] ?? NONE
    if (before === NONE) this.buckets[bucket] = after
    else this.next[before] = after
    this.next[slot] = this.free
    this.free = slot
    this.size -= 1
    this.epoch += 1
  }

  /** Whether rows for nodes below this number may be had with the blocks that there are. */
  canWiden(nodes: number): boolean {
    return this.bytes - this.rows.byteLength + 8 * wordsFor(nodes) * this.hashes.length <= this.mostBytes
  }

  /** Room for nodes below this number. */
  widen(nodes: number): void {
    if (nodes <= 32 * this.words) return
    const words = wordsFor(nodes)
    const rows = new Uint32Array(2 * words * this.hashes.length)
    for (let row = 0; row < 2 * this.used; row += 1) rows.set(this.rows.subarray(row * this.words, (row + 1) * this.words), row * words)
    this.rows = rows
    this.words = words
  }

  /** Forgets every block and gives the memory back. */
  reset(): void {
    this.rows = new Uint32Array(2 * this.words * FIRST_SLOTS)
    this.hashes = new Float64Array(FIRST_SLOTS)
    this.tokens = new Int32Array(FIRST_SLOTS)
    this.holders = new Int32Array(FIRST_SLOTS)
    this.next = new Int32Array(FIRST_SLOTS)
    this.buckets = new Int32Array(2 * FIRST_SLOTS).fill(NONE)
    this.shift = 32 - Math.log2(2 * FIRST_SLOTS)
    this.free = NONE
    this.used = 0
    this.size = 0
    this.epoch += 1
  }

  private bucketOf(hash: number): number {
    return Math.imul(hash | 0, 0x9e3779b1) >>> this.shift
  }

  private freeSlot(): number {
    const slot = this.free
    if (slot !== NONE) {
      this.free = this.next[slot] ?? NONE
      return slot
    }
    if (this.used === this.hashes.length && !this.grow()) return NONE
    this.used += 1
    return this.used - 1
  }

  private get canGrow(): boolean {
    return 2 * this.bytes <= this.mostBytes
  }

  private grow(): boolean {
    if (!this.canGrow) return false
    const slots = 2 * this.hashes.length
    this.rows = grown(this.rows, new Uint32Array(2 * this.words * slots))
    this.hashes = grown(this.hashes, new Float64Array(slots))
    this.tokens = grown(this.tokens, new Int32Array(slots))
    this.holders = grown(this.holders, new Int32Array(slots))
    this.next = grown(this.next, new Int32Array(slots))
    this.buckets = new Int32Array(2 * slots).fill(NONE)
    this.shift -= 1
    for (let slot = 0; slot < this.used; slot += 1) {
      const bucket = this.bucketOf(this.hashes[slot] ?? 0)
      this.next[slot] = this.buckets[bucket] ?? NONE
      this.buckets[bucket] = slot
    }
    return true
  }
}

function wordsFor(nodes: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, nodes / 32)))
}

/** The same numbers in a larger array. */
export function grown<Numbers extends Float64Array | Int32Array | Uint32Array>(from: Numbers, to: Numbers): Numbers {
  to.set(from)
  return to
}
