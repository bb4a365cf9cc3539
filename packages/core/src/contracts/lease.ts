import type { BeliefView } from './belief.js'
import type { Usage } from './dialect.js'
import type { Candidate, RequestFacts, Strategy } from './strategy.js'

/** How a request left its node. */
export interface LeaseEnd {
  /** `answered`: whole. `failed`: the node's fault. `cancelled`: the client left, or the node could not be asked for a lack of lb's own. */
  readonly outcome: 'answered' | 'failed' | 'cancelled'
  /** What the engine counted; undefined where it did not say. */
  readonly usage?: Usage | undefined
  /** Tokens of the answer, where usage is missing. */
  readonly outputTokens?: number
  /** Prompt and answer as the node holds them now, where the caller can tell: blocks as a later prompt that begins with them has. */
  readonly holds?: Pick<RequestFacts, 'prefixHashes' | 'prefixTokens'> | undefined
}

/** One request's claim on a node: counted in when made, counted out exactly once. */
export interface Lease {
  /** Prompt tokens that were believed to be in the node's cache when the claim was made. */
  readonly believedCachedTokens: number
  /** Moves the request from waiting to decoding; later calls do nothing. */
  firstToken(): void
  /** More of the answer is there: so many tokens since the last call. May be left out or called for some of them only. */
  tokens(count: number): void
  /** The client takes the answer slowly: from now on the time between tokens says nothing of the node. */
  heldUp?(): void
  /** Counts out; later calls do nothing. Without an end, as after a fault of ours, nothing is learned. */
  settle(end?: LeaseEnd): void
}

/** Where claims are made and counted. */
export interface LeaseBook extends BeliefView {
  /** The strategy that chose is told what becomes of the request. */
  open(node: Candidate, facts: RequestFacts, strategy?: Strategy): Lease
}

/** Rows of the shared counters: each node has one while it lives. */
export interface NodeRows {
  /** A free row for a new node. Throws LB_TOO_MANY_NODES. For one thread only. */
  takeRow(): number
  /** Gives a row back; it is handed out again only once its counts are zero. */
  freeRow(index: number): void
  /** Requests in flight on a row, over all threads. */
  countOf(index: number): number
}
