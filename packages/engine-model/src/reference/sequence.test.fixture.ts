import type { SequenceView } from '../sequence.js'

/** A request's life inside the reference engine. */
export class Sequence {
  /** Blocks held, first one first. */
  readonly blocks: number[] = []
  state: SequenceView['state'] = 'waiting'
  producedTokens = 0
  cachedTokens = 0
  preemptions = 0
  /** Tokens whose KV is in the cache. */
  computedTokens = 0
  /** Tokens that the current step computes; 0 = not in it. */
  chunk = 0
  /** The chunk is one decode token, not prefill. */
  decoding = false
  admitted = false

  constructor(
    readonly key: number,
    readonly promptTokens: number,
    readonly outputTokens: number,
    readonly blockHashes: readonly number[],
  ) {}

  /** Tokens known so far: prompt and what was produced. */
  get knownTokens(): number {
    return this.promptTokens + this.producedTokens
  }

  get isDecode(): boolean {
    return this.producedTokens > 0 && this.knownTokens - this.computedTokens === 1
  }
}
