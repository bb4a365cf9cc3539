/** A machine, or what was wrong with it, may be another one after so long. */
const KEPT_MS = 6 * 3_600_000
const MOST = 64

interface Misfit {
  readonly names: readonly string[]
  /** Who did not start beside the others. */
  readonly who: string
  readonly atMs: number
}

/** Sets of pools that were thought to fit, and did not. Times are monotonic. */
export class Misfits {
  private known: Misfit[] = []

  learn(who: string, beside: readonly string[], nowMs: number): void {
    this.known = [...this.known.filter(({ atMs }) => nowMs - atMs < KEPT_MS), { names: [...beside, who], who, atMs: nowMs }].slice(-MOST)
  }

  /** It does not start alone either: it was never about the others. */
  acquit(who: string): void {
    this.known = this.known.filter((each) => each.who !== who)
  }

  isAmong(names: readonly string[], nowMs: number): boolean {
    return this.known.some((each) => nowMs - each.atMs < KEPT_MS && each.names.every((name) => names.includes(name)))
  }
}
