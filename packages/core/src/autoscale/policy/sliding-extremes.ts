interface Entry {
  readonly atMs: number
  readonly value: number
}

/** The highest or lowest of what was said within the last so many milliseconds, of any length up to what is kept. */
export class SlidingExtreme {
  /** In order of time; each beats all that come after it. */
  private entries: Entry[] = []

  constructor(private readonly isBetter: (one: number, other: number) => boolean) {}

  add(atMs: number, value: number, keptMs: number): void {
    let last = this.entries.length
    while (last > 0 && !this.isBetter(this.entries[last - 1]?.value ?? value, value)) last--
    this.entries.length = last
    this.entries.push({ atMs, value })
    const from = this.entries.findIndex((entry) => entry.atMs >= atMs - keptMs)
    if (from > 0) this.entries.splice(0, from)
  }

  /** Undefined where nothing was said since then. */
  since(atMs: number): number | undefined {
    return this.entries.find((entry) => entry.atMs >= atMs)?.value
  }
}
