/**
 * Which of a fixed number of things is due first: an indexed binary heap. A due time may be moved at any moment in O(log n); equal times go by
 * lower index, so that a run repeats exactly.
 */
export class TimeHeap {
  /** Due time of each thing; Infinity = nothing is due. */
  private readonly dueMs: Float64Array
  /** Things in heap order, and where each stands in it. */
  private readonly order: Int32Array
  private readonly place: Int32Array

  constructor(readonly size: number) {
    this.dueMs = new Float64Array(size).fill(Infinity)
    this.order = Int32Array.from({ length: size }, (_, index) => index)
    this.place = Int32Array.from({ length: size }, (_, index) => index)
  }

  /** Infinity when nothing is due, and for an empty heap. */
  get firstMs(): number {
    return this.size === 0 ? Infinity : this.due(this.first)
  }

  /** The thing that is due first. */
  get first(): number {
    return this.order[0] ?? 0
  }

  set(index: number, dueMs: number): void {
    const before = this.due(index)
    if (before === dueMs) return
    this.dueMs[index] = dueMs
    if (dueMs < before) this.rise(index)
    else this.sink(index)
  }

  private due(index: number): number {
    return this.dueMs[index] ?? Infinity
  }

  private isBefore(one: number, other: number): boolean {
    const difference = this.due(one) - this.due(other)
    return difference < 0 || (!(difference > 0) && one < other)
  }

  private rise(index: number): void {
    let at = this.place[index] ?? 0
    while (at > 0) {
      const parentAt = (at - 1) >> 1
      const parent = this.order[parentAt] ?? 0
      if (!this.isBefore(index, parent)) break
      this.put(parent, at)
      at = parentAt
    }
    this.put(index, at)
  }

  private sink(index: number): void {
    let at = this.place[index] ?? 0
    for (;;) {
      const child = this.lesserChild(at)
      if (child < 0 || !this.isBefore(this.order[child] ?? 0, index)) break
      this.put(this.order[child] ?? 0, at)
      at = child
    }
    this.put(index, at)
  }

  /** Place of the earlier of two children, -1 where there is none. */
  private lesserChild(at: number): number {
    const left = 2 * at + 1
    if (left >= this.size) return -1
    const right = left + 1
    return right < this.size && this.isBefore(this.order[right] ?? 0, this.order[left] ?? 0) ? right : left
  }

  private put(index: number, at: number): void {
    this.order[at] = index
    this.place[index] = at
  }
}
