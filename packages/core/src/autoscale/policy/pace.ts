import type { ScaleAnswer } from './scale-facts.js'

const KEPT = 256
const LEAST = 8
/** So often it is read anew, once there are many. */
const READ_EVERY = 128
/** Shorter prompts say more of the network than of the node. */
const LEAST_TOKENS = 16
/** Most requests wait for others now and then; the quicker ones show what the prompt itself takes. */
const QUANTILE = 0.25
/** While a queue stands even the quicker ones wait: a slower pace is believed by so much of the difference only. */
const SLOWER = 0.005

/** Seconds that a node takes for a token of a prompt, learned from requests that hardly waited. */
export class Pace {
  private readonly ratios: number[] = []
  private count = 0
  private known: number | undefined

  learn({ ttftMs, computedTokens }: ScaleAnswer): void {
    if (computedTokens < LEAST_TOKENS || !(ttftMs > 0)) return
    this.ratios[this.count % KEPT] = ttftMs / 1_000 / computedTokens
    this.count += 1
    if (this.count % (this.count < KEPT ? LEAST : READ_EVERY) > 0) return
    const sorted = this.ratios.toSorted((one, other) => one - other)
    const seen = sorted[Math.floor(QUANTILE * (sorted.length - 1))] ?? 0
    const known = this.known ?? seen
    this.known = seen < known ? seen : known + SLOWER * (seen - known)
  }

  /** What an earlier balancer knew. */
  recall(secondsPerToken: number): void {
    this.known ??= secondsPerToken
  }

  /** Undefined: not known yet. */
  get secondsPerToken(): number | undefined {
    return this.known
  }
}
