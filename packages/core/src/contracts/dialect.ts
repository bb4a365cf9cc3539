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

/** How one engine speaks. Data and pure synchronous functions only: it runs on the data path. */
export interface Dialect {
  /** Path of each face at this engine, relative to the node's base URL; a missing face is refused. */
  readonly paths: Readonly<Partial<Record<Face, string>>>
  readonly headers: HeaderRules
  /** What the engine's answer means. `bodyStart` holds at most the first 2 KiB, empty while it has not come. */
  classify(status: number, headers: HeaderView, bodyStart: string): AnswerClass
  /** Truth about an ended event stream, from its last events (at most 4 KiB). */
  streamEnd(tail: string): 'complete' | 'cut' | 'error'
  /** Whether an answer of good form that ended without content is in truth none, as from a server on its way out; another node is asked then. `body` is all of it, at most 2 KiB. */
  isUnserved?(body: string): boolean
}
