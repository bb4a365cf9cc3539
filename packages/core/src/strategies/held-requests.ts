/** Most requests that are remembered; one more is not held back. */
const MOST_HELD = 10_000
/** A request that nobody asks about for so long beyond its time has been given up by its client. */
const GIVEN_UP_MS = 60_000

/** Since when requests wait because a strategy wanted no node for them; none waits for ever. */
export class HeldRequests {
  /** By id, in order of arrival. */
  private readonly sinceMs = new Map<string, number>()

  constructor(private readonly maxWaitMs: number) {}

  /** Whether the request may be held back (longer); begins its time when it is asked about first. */
  mayWait(id: string, nowMs: number): boolean {
    const sinceMs = this.sinceMs.get(id)
    if (sinceMs !== undefined) return nowMs - sinceMs < this.maxWaitMs
    this.dropGivenUp(nowMs)
    if (this.maxWaitMs <= 0 || this.sinceMs.size >= MOST_HELD) return false
    this.sinceMs.set(id, nowMs)
    return true
  }

  leave(id: string): void {
    this.sinceMs.delete(id)
  }

  get size(): number {
    return this.sinceMs.size
  }

  private dropGivenUp(nowMs: number): void {
    for (const [id, sinceMs] of this.sinceMs) {
      if (nowMs - sinceMs <= this.maxWaitMs + GIVEN_UP_MS) return
      this.sinceMs.delete(id)
    }
  }
}
