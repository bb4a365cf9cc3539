import type { Clock, RandomSource } from '../base/index.js'
import type { BeliefView } from './belief.js'
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
  /** Expected answer length: min(max_tokens, what this tenant's answers were). */
  readonly outputTokens: number
  /** Longest answer that may come without a word before its end, in tokens: of a plain request, and where an engine may hold tool calls back. Absent: each token is told. */
  readonly silentTokens?: number
  /** Salted, chained hashes of the prompt's blocks, first block first: integers below 2^52, at most 2,048. Not to be written to. */
  readonly prefixHashes: Float64Array
  /** Prompt tokens that the first so many blocks cover; of all blocks, at most `promptTokens`. Blocks differ in size. */
  prefixTokens(blocks: number): number
  /** Names the conversation, where the client does; the same text = the same conversation. */
  readonly session: string | undefined
  /** Who asks: the name of the key, else the address; the same text = the same client. */
  readonly client: string
  /** Network address that it came from. Absent: none, as in a simulation. */
  readonly address?: string
  /** The client's objective for the first token, in ms; undefined = none said. */
  readonly sloTtftMs: number | undefined
}

/** A node that may be chosen: already filtered for state, model, abilities and earlier attempts. */
export interface Candidate {
  readonly id: string
  /** Row of the node in shared counters; stable while the node lives. */
  readonly index: number
  /** Relative capacity, over 0; 1 is the default. */
  readonly weight: number
  /** Changes when the process behind the node does: what its cache held is gone. Absent: 0. */
  readonly incarnation?: number
  /** Where it stands; absent = unknown. */
  readonly zone?: string
  /** Price of a provider, in one currency per million tokens. */
  readonly price?: { readonly promptPerMillion: number; readonly outputPerMillion: number }
}

/** Where a strategy says how it decides; there only when somebody asked for it. */
export interface TraceSink {
  /** What one candidate would cost or score, in the strategy's own terms. */
  cost(position: number, terms: Readonly<Record<string, number>>): void
  /** What the terms are in and which end wins. Absent: ms, lowest. */
  unit(name: string, wins: 'lowest' | 'highest'): void
  /** Why, in words for people: "it holds 93 % of the prompt". */
  because(reason: string): void
}

/** What became of a request that a strategy placed. Times are monotonic. */
export type RoutingEvent =
  | { readonly kind: 'dispatched'; readonly facts: RequestFacts; readonly node: Candidate; readonly atMs: number }
  | {
      readonly kind: 'first-token'
      readonly facts: RequestFacts
      readonly node: Candidate
      readonly atMs: number
      /** From dispatch to this node. */
      readonly ttftMs: number
      /** Prompt tokens that were believed cached when it was sent. */
      readonly believedCachedTokens: number
    }
  | {
      readonly kind: 'settled'
      readonly facts: RequestFacts
      readonly node: Candidate
      readonly atMs: number
      readonly outcome: 'answered' | 'failed' | 'cancelled'
      /** By the engine's usage, else estimated. */
      readonly promptTokens: number
      readonly outputTokens: number
      /** Undefined where the engine does not say. */
      readonly cachedTokens: number | undefined
      /** From dispatch; undefined where none came. */
      readonly ttftMs: number | undefined
      readonly totalMs: number
    }
  /** The node has left, or another process is behind its name. */
  | { readonly kind: 'node-gone'; readonly id: string; readonly index: number }

/** May advance its own state, nothing else: no await, no logging. */
export interface Strategy {
  /**
   * Index into `candidates` (never empty), or -1: none of them now, ask again when something has changed. `trace` is there when the decision is asked
   * for or sampled; the choice must be the same without it.
   */
  pick(facts: RequestFacts, candidates: readonly Candidate[], trace?: TraceSink): number
  /** Told of the requests that this strategy placed, in order. */
  observe?(event: RoutingEvent): void
  /** What it knows of its own quality, such as the error of its predictions: names with units, made for people and metrics. */
  report?(): Readonly<Record<string, number>>
}

/** A way to choose nodes, as core and plugins bring it: `docs/extending/strategy-plugins.md`. Promised to plugins; it may grow, by members that may be left out. */
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
