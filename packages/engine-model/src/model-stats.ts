/** What an engine says of itself now. */
export interface ModelStats {
  readonly running: number
  readonly waiting: number
  /** Held by running sequences; cached content that nobody holds counts as free, as in vLLM. */
  readonly usedBlocks: number
  readonly totalBlocks: number
  readonly preemptions: number
  /** Prompt tokens asked for in the prefix cache, and found. */
  readonly prefixQueryTokens: number
  readonly prefixHitTokens: number
}
