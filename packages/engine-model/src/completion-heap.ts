import type { Sequence } from './sequence.js'

/** Decoding sequences, the one that finishes first on top; any of them can be taken out. */
export class CompletionHeap<S extends Sequence> {
  private readonly items: S[] = []

  get size(): number {
    return this.items.length
  }

  get top(): S | undefined {
    return this.items[0]
  }

  push(sequence: S): void {
    this.items.push(sequence)
    this.rise(sequence, this.items.length - 1)
  }

  /** Its `heapIndex` must be right; the caller clears it. */
  remove(sequence: S): void {
    const index = sequence.heapIndex
    const last = this.items.pop()
    if (last === undefined || last === sequence) return
    const parent = this.items[(index - 1) >> 1]
    if (index > 0 && parent !== undefined && isBefore(last, parent)) this.rise(last, index)
    else this.sink(last, index)
  }

  private rise(sequence: S, from: number): void {
    let index = from
    while (index > 0) {
      const up = (index - 1) >> 1
      const parent = this.items[up]
      if (parent === undefined || !isBefore(sequence, parent)) break
      this.put(parent, index)
      index = up
    }
    this.put(sequence, index)
  }

  private sink(sequence: S, from: number): void {
    let index = from
    for (;;) {
      const left = 2 * index + 1
      const right = this.items[left + 1]
      const child = this.items[left]
      if (child === undefined) break
      const first = right !== undefined && isBefore(right, child) ? right : child
      if (!isBefore(first, sequence)) break
      const at = first.heapIndex
      this.put(first, index)
      index = at
    }
    this.put(sequence, index)
  }

  private put(sequence: S, index: number): void {
    this.items[index] = sequence
    sequence.heapIndex = index
  }
}

function isBefore(one: Sequence, other: Sequence): boolean {
  return one.lastStep < other.lastStep || (one.lastStep === other.lastStep && one.serial < other.serial)
}
