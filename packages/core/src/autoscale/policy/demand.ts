const FAST_MS = 30_000
const SLOW_MS = 120_000
/** What chance alone lets two means differ by, in standard deviations of a Poisson process. */
const SIGNIFICANT = 3
/** Most of the present load that is expected to come on top. */
const MOST_GROWTH = 0.3

/** A mean in which what is older counts less; true from the first value on. */
class FadingMean {
  private sum = 0
  private weight = 0

  constructor(private readonly tauMs: number) {}

  add(value: number, forMs: number): void {
    const keep = Math.exp(-forMs / this.tauMs)
    this.sum = this.sum * keep + value * (1 - keep)
    this.weight = this.weight * keep + (1 - keep)
  }

  get value(): number {
    return this.weight === 0 ? 0 : this.sum / this.weight
  }
}

/** How much work comes, and how much will have to be borne once a node that is wished for now is there. */
export class Demand {
  private readonly fast = new FadingMean(FAST_MS)
  private readonly slow = new FadingMean(SLOW_MS)
  private readonly requests = new FadingMean(FAST_MS)
  private forMs = 0

  learn(arrivals: number, workTokens: number, forMs: number): void {
    if (!(forMs > 0)) return
    this.forMs += forMs
    const perSecond = (1_000 * arrivals) / forMs
    this.requests.add(perSecond, forMs)
    this.fast.add(perSecond * workTokens, forMs)
    this.slow.add(perSecond * workTokens, forMs)
  }

  /** Tokens of work a second that come now. */
  get perSecond(): number {
    return this.fast.value
  }

  get requestsPerSecond(): number {
    return this.requests.value
  }

  /** Tokens of work a second that will come in so long, if the load goes on growing as it does. Never less than come now. */
  in(aheadMs: number): number {
    const now = this.fast.value
    const grown = now - this.slow.value
    if (this.forMs < SLOW_MS || grown <= SIGNIFICANT * this.chance) return now
    // A mean lags behind a steady growth by its time constant.
    const perMs = grown / (SLOW_MS - FAST_MS)
    return now + Math.min(MOST_GROWTH * now, perMs * (FAST_MS + aheadMs))
  }

  /** Standard deviation of the fast mean, were the arrivals Poisson. */
  private get chance(): number {
    const requests = Math.max(this.requests.value, 1e-9)
    return this.fast.value / Math.sqrt((requests * 2 * FAST_MS) / 1_000)
  }
}
