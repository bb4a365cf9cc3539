/**
 * The KV cache as blocks: reference counts, content by hash, and a free list in order of last use.
 * A free block keeps its content until it is allocated again; eviction is reuse. Everything is O(1) and in typed arrays,
 * because virtual time runs this millions of times.
 */
export class BlockPool {
  private readonly references: Int32Array
  /** Content of a block; 0 = none that could be hit. */
  private readonly hashes: Float64Array
  private readonly next: Int32Array
  private readonly previous: Int32Array
  private readonly blockByHash = new Map<number, number>()
  private freeBlocks: number

  constructor(readonly size: number) {
    this.references = new Int32Array(size)
    this.hashes = new Float64Array(size)
    // Index `size` is the ring's anchor: its next is evicted first, its previous was freed last.
    this.next = Int32Array.from({ length: size + 1 }, (_, index) => (index + 1) % (size + 1))
    this.previous = Int32Array.from({ length: size + 1 }, (_, index) => (index + size) % (size + 1))
    this.freeBlocks = size
  }

  /** Blocks that nobody holds, with or without content. */
  get free(): number {
    return this.freeBlocks
  }

  /** The block with this content, or undefined. */
  find(hash: number): number | undefined {
    return this.blockByHash.get(hash)
  }

  isFree(block: number): boolean {
    return this.references[block] === 0
  }

  /** Shares a block that has content. */
  retain(block: number): void {
    if (this.isFree(block)) this.unlink(block)
    this.references[block] = (this.references[block] ?? 0) + 1
  }

  /** Takes the free block that was used longest ago; its content is gone. Throws RangeError when none is free. */
  allocate(): number {
    const block = this.next[this.size] ?? this.size
    if (block === this.size) throw new RangeError('no free block')
    this.unlink(block)
    this.forgetContent(block)
    this.references[block] = 1
    return block
  }

  /** Makes a held block's content findable; the first block with that content stays the one that is found. */
  publish(block: number, hash: number): void {
    if (this.blockByHash.has(hash)) return
    this.hashes[block] = hash
    this.blockByHash.set(hash, block)
  }

  /** Gives one reference back; the last one puts the block at the young end of the free list. */
  release(block: number): void {
    const left = (this.references[block] ?? 0) - 1
    if (left < 0) throw new RangeError(`block ${block} was released twice`)
    this.references[block] = left
    if (left === 0) this.linkLast(block)
  }

  private forgetContent(block: number): void {
    const hash = this.hashes[block] ?? 0
    if (hash === 0) return
    this.blockByHash.delete(hash)
    this.hashes[block] = 0
  }

  private unlink(block: number): void {
    const before = this.previous[block] ?? this.size
    const after = this.next[block] ?? this.size
    this.next[before] = after
    this.previous[after] = before
    this.freeBlocks--
  }

  private linkLast(block: number): void {
    const last = this.previous[this.size] ?? this.size
    this.next[last] = block
    this.previous[block] = last
    this.next[block] = this.size
    this.previous[this.size] = block
    this.freeBlocks++
  }
}
