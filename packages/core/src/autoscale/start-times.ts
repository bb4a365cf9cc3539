/** Until a first start has shown it. */
const FIRST_GUESS_MS = 60_000
const KEPT = 5
const LONGEST_MS = 86_400_000

/** How long nodes take from the wish to the first request. */
export class StartTimes {
  private readonly begun = new Map<string, number>()
  private readonly took: number[] = []

  /** The mean of the last few, the longest twice: rather too early than too late. */
  get expectedMs(): number {
    if (this.took.length === 0) return FIRST_GUESS_MS
    return [...this.took, Math.max(...this.took)].reduce((sum, each) => sum + each, 0) / (this.took.length + 1)
  }

  kept(): readonly number[] {
    return this.took.map(Math.round)
  }

  /** What an earlier balancer saw; it may be nonsense. */
  recall(took: unknown): void {
    if (!Array.isArray(took)) return
    this.took.push(...took.filter((each) => typeof each === 'number' && each > 0 && each < LONGEST_MS).slice(-KEPT))
  }

  begin(node: string, nowMs: number): void {
    this.begun.set(node, nowMs)
  }

  /** Nodes that are there, and whether they take requests. One that is gone before it was ready says nothing. */
  look(nodes: ReadonlyMap<string, boolean>, nowMs: number): void {
    for (const [node, begunMs] of this.begun) {
      if (nodes.get(node) === false) continue
      this.begun.delete(node)
      if (!nodes.has(node)) continue
      this.took.push(nowMs - begunMs)
      if (this.took.length > KEPT) this.took.shift()
    }
  }
}
