import type { BlockChain } from './run-chain.js'
import type { Hold } from './run-cache.js'

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

/** Decode steps that an engine has taken. While sequences decode, all of them advance by one token a step, so the count says how far each one is. */
export interface DecodeSteps {
  count: number
}

export interface SequenceSize {
  readonly promptTokens: number
  readonly outputTokens: number
}

/** A request's life inside the engine; written by the scheduler alone. */
export class Sequence {
  readonly promptTokens: number
  readonly outputTokens: number
  state: SequenceView['state'] = 'waiting'
  cachedTokens = 0
  preemptions = 0
  admitted = false
  /** Order of admission among those that run. */
  serial = 0
  /** Prefill tokens that the current step computes; 0 = not in it, or decoding. */
  chunk = 0
  /** The step count at which its last token is there; meaningful while it decodes. */
  lastStep = 0
  /** Place in the heap of those that decode; -1 = does not decode. */
  heapIndex = -1
  readonly holds: Hold[] = []
  /** Blocks that `holds` accounts for. What decoding fills is noted when the sequence leaves. */
  placedBlocks = 0
  /** Stretch of the chain that the block after those belongs to. */
  stretch = 0
  private computed = 0
  private produced = 0
  private joinedAt = 0

  constructor(
    { promptTokens, outputTokens }: SequenceSize,
    readonly chain: BlockChain,
    private readonly steps: DecodeSteps,
  ) {
    this.promptTokens = promptTokens
    this.outputTokens = outputTokens
  }

  get isDecoding(): boolean {
    return this.heapIndex >= 0
  }

  /** Tokens whose KV is in the cache. */
  get computedTokens(): number {
    return this.computed + this.decoded
  }

  get producedTokens(): number {
    return this.produced + this.decoded
  }

  /** Tokens known so far: prompt and what was produced. */
  get knownTokens(): number {
    return this.promptTokens + this.producedTokens
  }

  /** All that is left is one token at a time. */
  get canDecode(): boolean {
    return this.producedTokens > 0 && this.knownTokens - this.computedTokens === 1
  }

  /** Prefill of so many tokens is done, or found in the cache. */
  compute(tokens: number): void {
    this.computed += tokens
  }

  produce(): void {
    this.produced++
  }

  /** From here on the step count moves it. */
  startDecoding(): void {
    this.joinedAt = this.steps.count
    this.lastStep = this.joinedAt + this.outputTokens - this.produced
  }

  stopDecoding(): void {
    const { decoded } = this
    this.heapIndex = -1
    this.computed += decoded
    this.produced += decoded
  }

  /** Nothing is in the cache for it any more; what it produced is known and will be computed anew. */
  forgetBlocks(): void {
    this.computed = 0
    this.chunk = 0
    this.placedBlocks = 0
    this.stretch = 0
  }

  private get decoded(): number {
    return this.isDecoding ? this.steps.count - this.joinedAt : 0
  }
}
