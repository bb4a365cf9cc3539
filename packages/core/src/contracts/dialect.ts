/** One HTTP shape of inference that clients speak to the gateway. */
export type Face = 'openai-chat' | 'openai-completions' | 'openai-embeddings' | 'openai-transcriptions'

/** Token counts of one settled request, as the engine reported them. */
export interface Usage {
  readonly promptTokens: number
  readonly completionTokens: number
  /** Prompt tokens that the engine found in its prefix cache; undefined where it does not say. */
  readonly cachedTokens?: number
}

/** Lower-case header names to values; repeated headers are joined with ", ". */
export type HeaderView = Readonly<Record<string, string>>

export interface HeaderRules {
  /** Lower-case names of client headers that must not reach this engine, besides the hop-by-hop ones. */
  readonly strip?: readonly string[]
  /** Headers set on every request to this engine. */
  readonly set?: HeaderView
}

/** What an upstream answer means: the client's own fault, worth another node, a node that wants a pause, one still loading, or a dead one. `ok` for 2xx. */
export type AnswerClass = 'ok' | 'client' | 'retry' | 'cooldown' | 'loading' | 'death'

/** The top-level fields of a request body, as far as a dialect may look at them. */
export interface BodyFields {
  readonly names: Iterable<string>
  /** Parsed; undefined where it is absent or longer than 64 KiB. */
  value(name: string): unknown
  /** Whether it is written as a text, however long. */
  isText(name: string): boolean
}

/**
 * How the plain answer of one face is rebuilt from a stream. An engine that notices late that a client of a plain request has left is asked for a
 * stream instead, whose slot it frees at once; only what recorded pairs of answers prove equal, field by field, belongs here.
 */
export interface CollectedShape {
  /** Whether the answer to this body is known field by field. Any other body is sent as it came. */
  readonly fits: (body: BodyFields) => boolean
  /** `object` of the stream's chunks. */
  readonly chunkObject: string
  /** Where a choice of a chunk has its text. */
  readonly textAt: 'delta.content' | 'text'
  /**
   * The plain answer as the engine writes it: `<text>` stands for the inside of the joined text, `<finish_reason>` for the choice's, any other `<name>` for
   * that field of the last chunk that had it, byte for byte. A chunk with a field that is not named here makes the answer an unknown one.
   */
  readonly template: string
  /** `content-type` of the plain answer. */
  readonly contentType: string
}

/**
 * How one node computes a prompt and another of its kind answers it: the first is asked for one token and says where what it computed lies; the second is
 * told so, and fetches it there by itself.
 */
export interface Handover {
  readonly faces: readonly Face[]
  /** Top-level field of requests and of the first node's answer. What the answer has there goes to the second node byte for byte. */
  readonly field: string
  /** The field's value in the request to the first node, as JSON. */
  readonly ask: string
}

/** How the text that a client was given is put before an engine, so that it goes on from its last character. No word may be added to the prompt. */
export interface TextContinuation {
  /** Top-level fields that the request needs, as JSON, besides the text: a trailing assistant message of a chat, the end of the prompt of a completion. */
  readonly set?: Readonly<Record<string, string>>
  /** The answer begins with the whole given text once more; it is left out. */
  readonly echoes?: boolean
}

/** How a stream that one node began is gone on with at another one of its engine. A face that is missing cannot be: such a stream ends in an error. */
export interface Continuation {
  readonly text: Readonly<Partial<Record<Face, TextContinuation>>>
}

/** How one engine speaks. Data and pure synchronous functions only: it runs on the data path. */
export interface Dialect {
  /** Path of each face at this engine, relative to the node's base URL; a missing face is refused. */
  readonly paths: Readonly<Partial<Record<Face, string>>>
  readonly headers: HeaderRules
  /** What the engine's answer means. `bodyStart` holds at most the first 2 KiB, empty while it has not come. */
  readonly classify: (status: number, headers: HeaderView, bodyStart: string) => AnswerClass
  /** Truth about an ended event stream, from its last events (at most 4 KiB). */
  readonly streamEnd: (tail: string) => 'complete' | 'cut' | 'error'
  /** Whether an answer of good form that ended without content is in truth none, as from a server on its way out; another node is asked then. `body` is all of it, at most 2 KiB. */
  readonly isUnserved?: (body: string) => boolean
  /** Plain answers that are collected from a stream, because this engine lets go of a plain request late; a face that is missing is sent as it came. */
  readonly collect?: Readonly<Partial<Record<Face, CollectedShape>>>
  /** Absent: a stream that broke off is not gone on with. */
  readonly continuation?: Continuation
  /** Absent: a prompt is computed where it is answered. */
  readonly handover?: Handover
}
