/** Answers that took longer are attributed to nothing. */
const KEPT_MS = 1_800_000

/** Load of one node over time: an answer that ends now tells of the load at which its request came. */
export class LevelHistory {
  private atMs: number[] = []
  private levels: number[] = []

  /** In order of time. */
  add(atMs: number, level: number): void {
    this.atMs.push(atMs)
    this.levels.push(level)
    if (this.atMs.length < 8_192 && atMs - (this.atMs[0] ?? atMs) < 2 * KEPT_MS) return
    const from = this.indexAt(atMs - KEPT_MS) + 1
    this.atMs = this.atMs.slice(from)
    this.levels = this.levels.slice(from)
  }

  /** Undefined: nothing is known of so early a time. */
  at(atMs: number): number | undefined {
    return this.levels[this.indexAt(atMs)]
  }

  /** The last entry that is no later; -1: there is none. */
  private indexAt(atMs: number): number {
    let [low, high] = [0, this.atMs.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.atMs[middle] ?? Infinity) <= atMs) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}
