/** Before anything was measured: ten thousand prompt tokens a second. */
const FIRST_MS_PER_TOKEN = 0.1
/** What one measurement leaves of those before it. */
const KEPT = 0.98
const ENOUGH = 8

/** How long the first token of a pool takes for so many tokens of prefill: a line through what was measured, the newest counting most. */
export class WaitModel {
  private count = 0
  private tokens = 0
  private ms = 0
  private tokensSquared = 0
  private product = 0
  private serviceMs = 0

  learn(tokens: number, ttftMs: number): void {
    this.count = this.count * KEPT + 1
    this.tokens = this.tokens * KEPT + tokens
    this.ms = this.ms * KEPT + ttftMs
    this.tokensSquared = this.tokensSquared * KEPT + tokens * tokens
    this.product = this.product * KEPT + tokens * ttftMs
  }

  /** A whole request took so long. */
  learnService(totalMs: number): void {
    this.serviceMs = this.serviceMs === 0 ? totalMs : this.serviceMs * KEPT + totalMs * (1 - KEPT)
  }

  /** What waits for so many tokens costs; what every request costs alike is left out: it decides nothing between nodes. */
  waitMs(tokens: number): number {
    return this.msPerToken() * tokens
  }

  /** Until one of `slots` is free, where `inFlight` requests are there already. */
  slotWaitMs(slots: number, inFlight: number): number {
    return inFlight < slots ? 0 : (this.serviceMs * (inFlight - slots + 1)) / slots
  }

  private msPerToken(): number {
    const spread = this.count * this.tokensSquared - this.tokens * this.tokens
    if (this.count < ENOUGH || spread <= 0) return FIRST_MS_PER_TOKEN
    return Math.max(0, (this.count * this.product - this.tokens * this.ms) / spread)
  }
}
