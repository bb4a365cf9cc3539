/** One answered request, as the policy hears of it once it has ended. */
export interface ScaleAnswer {
  /** In the time of the looks. */
  readonly arrivedAtMs: number
  readonly ttftMs: number
  /** Prompt tokens that the node had to compute. */
  readonly computedTokens: number
}

/** What a trigger says right now. */
export interface TriggerReading {
  readonly name: string
  readonly value: number
  /** What one replica bears. */
  readonly perReplica: number
  /** True where the value is a mean over replicas, false where it is a sum over all. */
  readonly isMean: boolean
}

/** All that the policy is told at one look. What is counted is counted since the look before. */
export interface ScaleFacts {
  /** Replicas that there are or that come; those that nobody starts again are left out. */
  readonly replicas: number
  /** Of these, the ones that take requests. */
  readonly ready: number
  /** What other nodes of the pool bear right now, in replicas of this group. */
  readonly others: number
  /** Of the pool's nodes, there or coming, those that count before more of this group are wanted, in its replicas; absent: `others`. */
  readonly reliesOn?: number
  /** Requests that came. */
  readonly arrivals: number
  /** What one of them costs, in tokens to compute: see `workOf`. */
  readonly workTokens: number
  /** Requests that ended and had a first token. */
  readonly answers: readonly ScaleAnswer[]
  /** Requests without a first token right now, at nodes and in line. */
  readonly waiting: number
  /** Prompt tokens of these that are still to be computed. */
  readonly queuedTokens: number
  /** Requests that have not ended, at nodes and in line. */
  readonly open: number
  /** Prompt and expected answer of the requests at nodes. */
  readonly tokensInFlight: number
  /** Mean share of the KV cache in use, where engines tell. */
  readonly kvUsed?: number
  /** From the wish for a node to its first request, as it was seen lately. */
  readonly startMs: number
  readonly triggers: readonly TriggerReading[]
  /** People want at least so many. */
  readonly floor: number
  /** By the clock on the wall at least so many. */
  readonly scheduled: number
  /** Why the number stays as it is, whatever is wanted: it is only looked. */
  readonly held?: string
  /** So many can be placed, and why not more; absent: as many as one likes. */
  readonly room?: { readonly replicas: number; readonly why: string }
}

/** An answer token costs about as much as so many prompt tokens: what price lists of providers have, and what steps of engines at common batch sizes take. */
const ANSWER_TOKEN_COST = 4

/** What a request costs its node, in prompt tokens to compute. */
export function workOf(computedTokens: number, answerTokens: number): number {
  return computedTokens + ANSWER_TOKEN_COST * answerTokens
}
