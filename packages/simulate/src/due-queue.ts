/** Things that are due at times of their own, earliest first; equal times in the order in which they were added. A binary heap. */
export class DueQueue<Thing> {
  private readonly heap: { readonly atMs: number; readonly order: number; readonly thing: Thing }[] = []
  private added = 0

  /** Infinity when empty. */
  get firstMs(): number {
    return this.heap[0]?.atMs ?? Infinity
  }

  get size(): number {
    return this.heap.length
  }

  /** The first one, left in its place. */
  peek(): Thing | undefined {
    return this.heap[0]?.thing
  }

  add(atMs: number, thing: Thing): void {
    const { heap } = this
    const entry = { atMs, order: this.added++, thing }
    let at = heap.length
    for (;;) {
      const parentAt = (at - 1) >> 1
      const parent = heap[parentAt]
      if (at === 0 || parent === undefined || isBefore(parent, entry)) break
      heap[at] = parent
      at = parentAt
    }
    heap[at] = entry
  }

  /** Takes the first one off; undefined when empty. */
  take(): Thing | undefined {
    const { heap } = this
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || first === last) return first?.thing
    let at = 0
    for (;;) {
      let childAt = 2 * at + 1
      let child = heap[childAt]
      const right = heap[childAt + 1]
      if (child !== undefined && right !== undefined && isBefore(right, child)) [child, childAt] = [right, childAt + 1]
      if (child === undefined || isBefore(last, child)) break
      heap[at] = child
      at = childAt
    }
    heap[at] = last
    return first.thing
  }
}

interface Entry {
  readonly atMs: number
  readonly order: number
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order)
}
