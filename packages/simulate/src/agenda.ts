/** Something that is due at times of its own; Infinity = not now. */
export interface Source {
  readonly nextMs: () => number
  readonly act: () => void
}

/** All that can happen. What is due first happens first; of what is due at the same moment, what stands first in the list. */
export class Agenda {
  /** When the source that `next` returned is due. */
  dueMs = 0

  constructor(private readonly sources: readonly Source[]) {}

  /** The source that is due first; undefined when nothing is. */
  next(): Source | undefined {
    let first: Source | undefined
    let firstMs = Infinity
    for (const source of this.sources) {
      const nextMs = source.nextMs()
      if (nextMs >= firstMs) continue
      firstMs = nextMs
      first = source
    }
    this.dueMs = firstMs
    return first
  }
}
