import type { Clock } from '../base/index.js'
import { RateMeter } from './rate-meter.js'
import { type Quantiles, WindowedQuantiles } from './windowed-quantiles.js'

/** What status shows of a node, a pool or the gateway. Quantiles look back 60 s, rates 10 s, totals to the start. */
export interface TrafficStats {
  /** For a node: tries at it, so that a retried request counts at each. */
  readonly requests: number
  /** Failures that are not the client's. */
  readonly errors: number
  readonly requestsPerSecond: number
  /** Output tokens, counted when their request settles. */
  readonly tokensPerSecond: number
  readonly ttftMs: Quantiles | null
  /** Time per output token after the first. */
  readonly tpotMs: Quantiles | null
  /** Median TTFT of each 5 s slice of the last two minutes, oldest first. */
  readonly ttftHistoryMs: readonly (number | null)[]
}

/** What one settled request means to one place: a node, a pool or the gateway. */
export interface Passage {
  readonly failed: boolean
  readonly ttftMs: number | null
  readonly tpotMs: number | null
  readonly tokens: number
}

/** The running numbers of one place. */
export class Traffic {
  private requests = 0
  private errors = 0
  private readonly ttft: WindowedQuantiles
  private readonly tpot: WindowedQuantiles
  private readonly requestRate: RateMeter
  private readonly tokenRate: RateMeter

  constructor(clock: Clock) {
    this.ttft = new WindowedQuantiles(clock)
    this.tpot = new WindowedQuantiles(clock)
    this.requestRate = new RateMeter(clock)
    this.tokenRate = new RateMeter(clock)
  }

  count({ failed, ttftMs, tpotMs, tokens }: Passage): void {
    this.requests++
    if (failed) this.errors++
    if (ttftMs !== null) this.ttft.observe(ttftMs)
    if (tpotMs !== null) this.tpot.observe(tpotMs)
    this.requestRate.add()
    this.tokenRate.add(tokens)
  }

  read(): TrafficStats {
    return {
      requests: this.requests,
      errors: this.errors,
      requestsPerSecond: this.requestRate.perSecond(),
      tokensPerSecond: this.tokenRate.perSecond(),
      ttftMs: this.ttft.quantiles(),
      tpotMs: this.tpot.quantiles(),
      ttftHistoryMs: this.ttft.history(),
    }
  }
}
