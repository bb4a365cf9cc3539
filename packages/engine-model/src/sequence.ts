/** One request as the engine sees it: numbers only, the text is the caller's. */
export interface ModelRequest {
  /** Unique among the requests that are in the engine. */
  readonly id: string
  /** At least 1. */
  readonly promptTokens: number
  /** Tokens that it will produce; 0 for embeddings, which end with their prefill. */
  readonly outputTokens: number
  /** Chained hashes of the full blocks of prompt and answer together; blocks past its end are private. See chainBlocks. */
  readonly blockHashes: readonly number[]
}

/** What a driver may read of a request in the engine. */
export interface SequenceView {
  readonly id: string
  readonly promptTokens: number
  readonly outputTokens: number
  /** 1 right after the first token. */
  readonly producedTokens: number
  /** Prompt tokens found in the cache when it was first admitted; 0 before. */
  readonly cachedTokens: number
  readonly preemptions: number
  readonly state: 'waiting' | 'running' | 'finished' | 'cancelled'
}

/** A request's life inside the engine; written by the scheduler alone. */
export class Sequence implements SequenceView {
  readonly id: string
  readonly promptTokens: number
  readonly outputTokens: number
  readonly blockHashes: readonly number[]
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

  constructor(request: ModelRequest) {
    this.id = request.id
    this.promptTokens = request.promptTokens
    this.outputTokens = request.outputTokens
    this.blockHashes = request.blockHashes
  }

  /** Tokens known so far: prompt and what was produced. */
  get knownTokens(): number {
    return this.promptTokens + this.producedTokens
  }

  get isDecode(): boolean {
    return this.producedTokens > 0 && this.knownTokens - this.computedTokens === 1
  }
}
