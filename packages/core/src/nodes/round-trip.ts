/** So long a shortest time counts; the one before it still counts for as long again. */
const WINDOW_MS = 60_000
/** A probe opens its connection and asks: the way there and back twice. */
const TRIPS = 2
/** Smaller changes are noise, and each one told is a new roster. */
const LEAST_CHANGE_MS = 0.5
const LEAST_CHANGE = 1.25

/** The shortest way to a node and back, from the time that its probes took: the moving minimum, because all that is longer is work and not way. */
export class RoundTrip {
  /** Undefined before the first probe. */
  roundTripMs: number | undefined
  private before = Number.POSITIVE_INFINITY
  private now = Number.POSITIVE_INFINITY
  private sinceMs = 0

  /** `tookMs`: a whole probe that was answered. */
  learn(tookMs: number, nowMs: number): void {
    if (nowMs - this.sinceMs > WINDOW_MS) {
      this.before = nowMs - this.sinceMs > 2 * WINDOW_MS ? Number.POSITIVE_INFINITY : this.now
      this.now = Number.POSITIVE_INFINITY
      this.sinceMs = nowMs
    }
    this.now = Math.min(this.now, tookMs)
    const seenMs = Math.round((Math.min(this.now, this.before) / TRIPS) * 10) / 10
    if (this.roundTripMs === undefined || differs(this.roundTripMs, seenMs)) this.roundTripMs = seenMs
  }
}

function differs(oldMs: number, newMs: number): boolean {
  const [low, high] = oldMs < newMs ? [oldMs, newMs] : [newMs, oldMs]
  return high - low >= LEAST_CHANGE_MS && high >= low * LEAST_CHANGE
}
