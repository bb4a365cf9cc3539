import type { LoadFacts } from './load-facts.js'
import type { Candidate, RequestFacts } from './strategy.js'

/** What the balancer believes about one node, all of it known without asking the node. A live view: read it in `pick`, do not keep its numbers. */
export interface NodeBelief {
  /** Requests sent and not ended. */
  readonly inFlight: number
  /** Of those, the ones without a first token. */
  readonly waiting: number
  /** Prompt and expected answer of all requests in flight, in tokens. */
  readonly tokensInFlight: number
  /** Prompt tokens of the waiting requests that the node's cache does not hold: prefill that is still ahead. */
  readonly prefillTokens: number
  /** Of those, the tokens of the request that waits longest; 0 when none waits. */
  readonly headPrefillTokens: number
  /** The longest prompt that waits, in tokens, cached or not; 0 when none waits. */
  readonly largestPromptTokens: number
  /** The longest answer in flight that may come without a word before its end, in tokens; 0 where each token is told. */
  readonly silentTokens: number
  /** Monotonic time since when that request has been the first in line: its dispatch, or the first token of the one before it. */
  readonly headSinceMs: number
  /** Prompt and half the expected answer of the requests that decode, in tokens: what each step reads. A prefix that they share counts once. */
  readonly kvTokens: number
  /** How many times longer the node takes for a step than the pool's typical node: 1 = as fast; learned from clean token gaps. */
  readonly slowness: number
  /** Monotonic time of its last token or first token; of the moment it got work, where that is later. */
  readonly lastProgressMs: number
  /** Monotonic time of its last token or first token; before the first one, long ago. */
  readonly lastTokenMs: number
  /** What its prefix cache is believed to hold comes from: nothing, a mirror of what was sent, or the engine's own events. */
  readonly cacheSource: 'none' | 'mirror' | 'events'
  /** What the engine said of itself at the last poll, and when (monotonic). */
  readonly load: LoadFacts | undefined
  readonly loadAtMs: number
}

/** How much of one prompt each candidate's cache holds, by position among the candidates. Overwritten by the next call. */
export interface PrefixMatch {
  /** Prompt tokens that were computed there and are believed still there. */
  readonly presentTokens: Float64Array
  /** Those, and the ones that requests sent before will have computed; at least as many. */
  readonly promisedTokens: Float64Array
}

/** What the balancer believes about nodes right now. Reads only. */
export interface BeliefView {
  /** O(1). */
  of(node: { readonly index: number }): NodeBelief
  /** One walk over the prompt's blocks for all candidates. Never the whole prompt: one token at least must be computed. */
  cachedTokens(facts: RequestFacts, candidates: readonly Candidate[]): PrefixMatch
}
