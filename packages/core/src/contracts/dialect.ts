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
  /** By the ids of tokens; absent: the engine does not tell them. */
  readonly exact?: Readonly<Partial<Record<Face, ExactContinuation>>>
}

/** What one event tells of the tokens that its text was made of. */
export interface ToldTokens {
  readonly ids: readonly number[]
  /** UTF-8 bytes of these tokens, where the engine tells them: where they are fewer than the text has, ids are missing. */
  readonly bytes?: number
}

/** How an engine tells the ids of its tokens and takes them back: the rest of any answer is then asked for as a completion of ids. */
export interface ExactContinuation {
  /** Top-level fields of a request, as JSON, that make it tell ids. */
  readonly ask: Readonly<Record<string, string>>
  /** Field of a choice that brings the ids of its text. It is taken out before the client sees the event. */
  readonly field: string
  /** Undefined: it says nothing that can be used. */
  readonly tokensOf: (value: unknown) => ToldTokens | undefined
  /** Field of the first event, or of its choice, with the ids of the prompt; taken out, too. */
  readonly promptField?: string
  /** Where the prompt of a conversation is asked for as text when a stream broke off, with the client's own body: the field of the answer that brings it. */
  readonly render?: { readonly path: string; readonly field: string }
  /** Completions without `max_tokens` end early there: the room of the node's context is asked for then. */
  readonly needsLimit?: boolean
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
