/** Minutes that are looked back on. */
const MINUTES = 60
const MINUTE_MS = 60_000
/** What a request counts for by the age of its minute: the last one, the last five, the rest of the hour. */
const LAST_WEIGHT = 10
const RECENT_WEIGHT = 3
const RECENT_MINUTES = 5

const ANSWERED = 0
const FAILED = 1
const TOKENS = 2
const TOKENS_MS = 3
const TTFT_MS = 4
const TTFTS = 5
const FIELDS = 6

/** What one provider was like over the last hour, the last minutes counting more. NaN where nothing is known. */
export interface ProviderFigures {
  /** Requests that were answered, 0..100. */
  uptimePercent: number
  tokensPerSecond: number
  ttftMs: number
}

/** Sums of one provider's requests by minute, for an hour; in a fixed room. */
export class MinuteRing {
  readonly figures: ProviderFigures = { uptimePercent: NaN, tokensPerSecond: NaN, ttftMs: NaN }
  private readonly cells = new Float64Array(MINUTES * FIELDS)
  /** Minute since the clock's zero that each place holds. */
  private readonly minutes = new Float64Array(MINUTES).fill(-Infinity)
  private summedMinute = NaN

  answered(
    nowMs: number,
    { outputTokens, ttftMs, totalMs }: { readonly outputTokens: number; readonly ttftMs: number | undefined; readonly totalMs: number },
  ): void {
    const at = this.placeFor(nowMs)
    this.add(at + ANSWERED, 1)
    if (ttftMs === undefined) return
    this.add(at + TTFT_MS, ttftMs)
    this.add(at + TTFTS, 1)
    if (outputTokens <= 1 || totalMs <= ttftMs) return
    this.add(at + TOKENS, outputTokens - 1)
    this.add(at + TOKENS_MS, totalMs - ttftMs)
  }

  failed(nowMs: number): void {
    this.add(this.placeFor(nowMs) + FAILED, 1)
  }

  /** Brings `figures` up to date. Cheap when nothing has happened since. */
  sum(nowMs: number): ProviderFigures {
    const minute = Math.floor(nowMs / MINUTE_MS)
    if (minute === this.summedMinute) return this.figures
    this.summedMinute = minute
    const sums = new Float64Array(FIELDS)
    for (let place = 0; place < MINUTES; place += 1) {
      const weight = weightOf(minute - (this.minutes[place] ?? -Infinity))
      if (weight > 0)
        for (let field = 0; field < FIELDS; field += 1)
          sums[field] = (sums[field] ?? 0) + weight * (this.cells[place * FIELDS + field] ?? 0)
    }
    const [answered = 0, failed = 0, tokens = 0, tokensMs = 0, ttftMs = 0, ttfts = 0] = sums
    this.figures.uptimePercent = (100 * answered) / (answered + failed)
    this.figures.tokensPerSecond = (1_000 * tokens) / tokensMs
    this.figures.ttftMs = ttftMs / ttfts
    return this.figures
  }

  private add(cell: number, amount: number): void {
    this.cells[cell] = (this.cells[cell] ?? 0) + amount
    this.summedMinute = NaN
  }

  /** First cell of the minute; what its place held an hour ago is gone. */
  private placeFor(nowMs: number): number {
    const minute = Math.floor(nowMs / MINUTE_MS)
    const place = minute % MINUTES
    if (this.minutes[place] !== minute) {
      this.minutes[place] = minute
      this.cells.fill(0, place * FIELDS, (place + 1) * FIELDS)
    }
    return place * FIELDS
  }
}

function weightOf(ageMinutes: number): number {
  if (ageMinutes < 0 || ageMinutes >= MINUTES) return 0
  if (ageMinutes < 1) return LAST_WEIGHT
  return ageMinutes < RECENT_MINUTES ? RECENT_WEIGHT : 1
}
