import type { Face } from './dialect.js'

/** What the text of an answer was like; looked at only while a revision of its pool is judged. */
export interface AnswerQuality {
  /** Characters of content. */
  readonly chars: number
  /** Neither content nor a call of a tool, although it ended well. */
  readonly isEmpty: boolean
  /** The same few words over and over. */
  readonly isRepeating: boolean
  /** JSON was asked for, or a tool called, and what came cannot be read; absent: nothing of the kind was asked for. */
  readonly isMalformed?: boolean
}

/** One try at one node. */
export interface AttemptRecord {
  /** `pool/node`. */
  readonly node: string
  /** Milliseconds after arrival. */
  readonly startedMs: number
  /** `refused`: the node answered, and the answer was worth another node. `cut`: it broke off after content had been sent. `hung`: lb gave up on the node. `unsent`: lb itself had no file descriptor for a connection. */
  readonly outcome: 'answered' | 'connect-failed' | 'unsent' | 'reset' | 'timeout' | 'refused' | 'cancelled' | 'cut' | 'hung'
  /** For people. */
  readonly reason?: string
  /** The node was asked to compute the prompt for another one. */
  readonly leg?: 'prefill'
  /** It went on with the stream that the try before it had begun: by the ids of its tokens, or by its text. */
  readonly continues?: 'exact' | 'text'
  /** The node asked for a pause (429); no fault. */
  readonly busy?: true
  /** It was sent the request, and the client got nothing of what it may have done for it. */
  readonly inVain?: true
  /** Another try ran beside it: the first answer counts. */
  readonly hedge?: true
  /** The client wanted a plain answer, and the engine was asked for a stream of it, so that it lets go at once when the client leaves. */
  readonly collected?: true
  /** The client left, and this engine notices that late: its slot stays busy for a while. */
  readonly late?: true
  /** What the node ran, where its pool has several revisions. */
  readonly revision?: string
  /** Of the engine's answer, where its pool has several revisions and one came. */
  readonly status?: number
  /** Of a whole answer, whether the client was given it or, after it, that of the trusted revision. */
  readonly quality?: AnswerQuality
}

export type RequestOutcome = 'ok' | 'client-error' | 'engine-error' | 'unavailable' | 'cut' | 'client-gone'

/** What happened to one request; never its text. Schema: docs/reference/request-record.md. Why, replay and drills read it. */
export interface RequestRecord {
  /** Version of this shape. */
  readonly v: 1
  /** The `x-request-id` of the answer. */
  readonly id: string
  /** Epoch. */
  readonly arrivedAtMs: number
  /** Which HTTP shape; `unknown` when the request was refused before that was clear. */
  readonly face: Face | 'unknown'
  /** Null when no pool answers for the model. */
  readonly pool: string | null
  /** As the client named it; null when the body could not be read. */
  readonly model: string | null
  /** True when an event stream was asked for. */
  readonly stream: boolean
  /** The node that answered, or the last one tried. */
  readonly node: string | null
  /** Tries at nodes, in order; empty when none was reached. */
  readonly attempts: readonly AttemptRecord[]
  /** HTTP status that the client got; 0 when it left before one. */
  readonly status: number
  /** `cut`: the answer broke off in the middle. `unavailable`: no node could take it. */
  readonly outcome: RequestOutcome
  /** Code of the answer, where it was an error of ours (docs/reference/errors.md). */
  readonly errorCode: string | null
  /** Size of the request body. */
  readonly bodyBytes: number
  /** By the engine's usage, else estimated. */
  readonly promptTokens: number
  /** By the engine's usage, else estimated. */
  readonly completionTokens: number
  /** Prompt tokens that the engine found in its cache; null where it does not say. */
  readonly cachedTokens: number | null
  /** In line, before a node took it; milliseconds, 0 for nearly all. */
  readonly inLineMs: number
  /** False while the counts are estimates because the engine gave no usage. */
  readonly tokensMeasured: boolean
  /** What was believed when the request was sent, where usage says how it was: the prompt's tokens, and those of them in the node's cache. */
  readonly believed?: { readonly promptTokens: number; readonly cachedTokens: number }
  /** From arrival to the first content byte for the client; null without one. */
  readonly ttftMs: number | null
  /** From arrival to the end. */
  readonly totalMs: number
  /** Salted and chained, integers below 2^52; 256-byte blocks to 16 KiB, then 2 KiB blocks; at most 2,048. JSON holds the first 512, as 13 hexadecimal digits each. */
  readonly prefixHashes: Float64Array
}
