import type { Clock, RandomSource } from '../base/index.js'
import type { Face } from './dialect.js'
import type { JsonSchema } from './json-schema.js'

/** What is known of a request before a node is chosen. */
export interface RequestFacts {
  readonly id: string
  readonly face: Face
  readonly model: string
  readonly stream: boolean
  readonly bodyBytes: number
  /** Estimated from bytes until usage settles it. */
  readonly promptTokens: number
  /** Expected answer length: min(max_tokens, the pool's mean). */
  readonly outputTokens: number
  /** Salted, chained hashes of the prompt's blocks, first block first: integers below 2^52, at most 2,048. Not to be written to. */
  readonly prefixHashes: Float64Array
}

/** A node that may be chosen: already filtered for state, model and earlier attempts. */
export interface Candidate {
  readonly id: string
  /** Row of the node in shared counters; stable while the node lives. */
  readonly index: number
  /** Relative capacity, over 0; 1 is the default. */
  readonly weight: number
}

/** What the balancer believes about nodes right now. Reads only, O(1). */
export interface BeliefView {
  inFlight(node: Candidate): number
  /** Of those, the ones without a first token. */
  waiting(node: Candidate): number
  tokensInFlight(node: Candidate): number
}

/** May advance its own state, nothing else: no await, no logging. */
export interface Strategy {
  /** Index into `candidates` (never empty). */
  pick(facts: RequestFacts, candidates: readonly Candidate[]): number
}

/** Experimental until the strategies' own issue freezes it. */
export interface StrategyPlugin<Settings = unknown> {
  readonly name: string
  readonly aliases?: readonly string[]
  /** One line for `lb strategies` and the reference. */
  readonly summary: string
  readonly settings: JsonSchema
  create(context: StrategyContext<Settings>): Strategy
}

export interface StrategyContext<Settings = unknown> {
  readonly settings: Settings
  readonly random: RandomSource
  readonly clock: Clock
  readonly belief: BeliefView
}
