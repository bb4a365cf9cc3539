/** What an engine says about its load and its abilities, in words that mean the same for every engine. What it does not tell is left out, never guessed. */
export interface LoadFacts {
  /** Requests that it works on. */
  readonly running?: number
  /** Requests that wait inside it. */
  readonly waiting?: number
  /** Requests that it can work on at once. */
  readonly slots?: number
  /** Share of its KV cache in use, 0..1. */
  readonly kvUsedRatio?: number
  /** KV blocks that it has, and tokens in one. */
  readonly kvBlocks?: number
  readonly kvBlockTokens?: number
  /** Since it started: prompt tokens that it took in, and those of them that it found in its cache. */
  readonly promptTokens?: number
  readonly cachedTokens?: number
  /** Longest prompt with its answer, for one request. */
  readonly contextTokens?: number
  /** Names of adapters (LoRA) that it can serve now. */
  readonly adapters?: readonly string[]
  /** Models in memory right now, where it can hold others back. */
  readonly loadedModels?: readonly string[]
  readonly asleep?: boolean
  /** Load of the busiest expert over the mean one, 1 = even; where a mixture of experts reports it. */
  readonly expertImbalance?: number
}
