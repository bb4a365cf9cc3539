/** One node that could have been chosen, as it was seen then. */
export interface DecisionCandidate {
  /** `pool/node`. */
  readonly node: string
  /** Where it stands; null where nobody says. */
  readonly zone: string | null
  /** Requests sent to it and not ended. */
  readonly inFlight: number
  /** Of those, the ones without a first token. */
  readonly waiting: number
  /** Prompt tokens that were still ahead of it. */
  readonly prefillTokens: number
  /** Tokens of this prompt that its cache was believed to hold. */
  readonly cachedTokens: number
  /** What it would cost, in the strategy's own terms; their sum is the cost. Null where the strategy tells nothing. */
  readonly terms: Readonly<Record<string, number>> | null
}

/** What leaves a node out before the strategy is asked. */
export type FilterName =
  | 'state'
  | 'tier'
  | 'tried'
  | 'role'
  | 'face'
  | 'continuation'
  | 'labels'
  | 'revision'
  | 'model'
  | 'context'
  | 'cooldown'
  | 'trial'
  | 'slow-start'
  | 'zone'

/** A node that was left out before the strategy was asked. */
export interface LeftOut {
  /** `pool/node`. */
  readonly node: string
  /** Which rule. */
  readonly filter: FilterName
  /** In words. */
  readonly reason: string
}

/** How one choice of a node came about. `lb why` shows it; schema: docs/reference/decision.md. */
export interface Decision {
  /** Version of this shape. */
  readonly v: 1
  /** The `x-request-id` of the answer. */
  readonly id: string
  /** Of the request; epoch. */
  readonly arrivedAtMs: number
  /** Milliseconds after arrival. */
  readonly decidedMs: number
  /** Which try this was for, from 1. */
  readonly attempt: number
  /** The request asked for it with `x-lb-trace: 1`; else it was sampled. */
  readonly askedFor: boolean
  /** Name of the pool. */
  readonly pool: string
  /** As the client named it. */
  readonly model: string
  /** Name of the strategy. */
  readonly strategy: string
  /** Estimated. */
  readonly promptTokens: number
  /** Expected. */
  readonly outputTokens: number
  /** Where the conversation was named: a header or a field of the body. Null: nowhere. */
  readonly sessionFrom: string | null
  /** The client's objective for the first token; null where it has none. */
  readonly sloTtftMs: number | null
  /** The strategy chose among these, in this order. */
  readonly candidates: readonly DecisionCandidate[]
  /** These it did not see. */
  readonly leftOut: readonly LeftOut[]
  /** What the terms are in. */
  readonly unit: string
  /** Which end wins. */
  readonly wins: 'lowest' | 'highest'
  /** What the strategy says, in words. */
  readonly because: readonly string[]
  /** The node; null: none of them now, the request waited. */
  readonly choice: string | null
  /** Whose turn it would have been among the same candidates; null where there were none. */
  readonly roundRobin: string | null
}
