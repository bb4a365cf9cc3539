/** Weight of the newest. */
const SHARE = 0.1
/** So many times the usual one is long enough for a prompt to be computed. */
const LONG = 2

/** How long streams of one node wait for their first token, of late: what is usual for a prompt there. */
export class FirstTokens {
  private usualMs = Infinity
  private usualTokens = 1

  learn(tookMs: number, prefillTokens: number): void {
    const share = this.usualMs === Infinity ? 1 : SHARE
    this.usualMs = this.usualMs === Infinity ? tookMs : this.usualMs + share * (tookMs - this.usualMs)
    this.usualTokens += share * (Math.max(1, prefillTokens) - this.usualTokens)
  }

  /** By then so many tokens of a prompt are computed, in all likelihood; Infinity while nothing is known. */
  mostFor(prefillTokens: number): number {
    return LONG * this.usualMs * Math.max(1, prefillTokens / this.usualTokens)
  }
}
