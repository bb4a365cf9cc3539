/** So long something that failed is not tried again; each time twice as long, up to the longest. */
const FIRST_MS = 60_000
const LONGEST_MS = 300_000

/** When something that went wrong may be tried again. Times are monotonic. */
export class Again {
  private notBeforeMs = -Infinity
  private failures = 0
  private why: string | undefined

  failed(why: string, nowMs: number): void {
    this.notBeforeMs = nowMs + Math.min(LONGEST_MS, FIRST_MS * 2 ** this.failures)
    this.failures += 1
    this.why = why
  }

  wentWell(): void {
    this.failures = 0
    this.why = undefined
  }

  /** Why it has to wait; undefined: it may be tried. */
  waitsBecause(nowMs: number): string | undefined {
    return nowMs < this.notBeforeMs ? this.why : undefined
  }

  leftMs(nowMs: number): number {
    return Math.max(0, this.notBeforeMs - nowMs)
  }
}
