import type { Candidate } from '../contracts/index.js'

interface Entry {
  readonly id: string
  readonly index: number
  readonly usedMs: number
}

/** Which node each key was last sent to: bounded in number and in age. */
export class StickyTable {
  /** In order of last use. */
  private readonly entries = new Map<string | number, Entry>()

  constructor(private readonly limits: { readonly idleMs: number; readonly maxEntries: number }) {}

  get size(): number {
    return this.entries.size
  }

  /** Position of the key's node among the candidates, or -1. */
  find(key: string | number, candidates: readonly Candidate[], nowMs: number): number {
    const entry = this.entries.get(key)
    if (entry === undefined || nowMs - entry.usedMs > this.limits.idleMs) return -1
    for (let position = 0; position < candidates.length; position += 1) {
      const node = candidates[position]
      if (node?.index === entry.index && node.id === entry.id) return position
    }
    return -1
  }

  keep(key: string | number, { id, index }: Candidate, usedMs: number): void {
    this.entries.delete(key)
    this.entries.set(key, { id, index, usedMs })
    for (const [oldest, entry] of this.entries) {
      if (this.entries.size <= this.limits.maxEntries && usedMs - entry.usedMs <= this.limits.idleMs) return
      this.entries.delete(oldest)
    }
  }
}
