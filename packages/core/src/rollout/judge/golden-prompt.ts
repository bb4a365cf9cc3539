/** A prompt whose answer is known well enough to be checked. */
export interface GoldenPrompt {
  /** `golden.yaml:12`, for messages. */
  readonly place: string
  /** For people; absent: its place says it. */
  readonly name?: string
  /** One of `prompt` and `messages`. */
  readonly prompt?: string
  readonly messages?: readonly Readonly<Record<string, unknown>>[]
  /** The name that is asked for; absent: the pool's first. */
  readonly model?: string
  /** Absent: 256. */
  readonly maxTokens?: number
  /** Regular expressions: `/like this/i` or plain. All of them. */
  readonly mustMatch?: string | readonly string[]
  readonly mustNotMatch?: string | readonly string[]
  /** The answer is JSON that this JSON schema takes. */
  readonly jsonSchema?: Readonly<Record<string, unknown>>
  /** The answer means about the same as `to`, as the embeddings of a pool have it: cosine of at least `atLeast`, 0..1. */
  readonly similarity?: { readonly to: string; readonly pool: string; readonly atLeast: number }
  /** A model of another pool says yes to the question about the answer. */
  readonly judge?: { readonly pool: string; readonly question: string }
}

/** How golden prompts reach models; each throws where no whole answer comes. */
export interface GoldenAsker {
  /** Asks the new revision; with temperature 0, where it has one. Resolves to the text. */
  ask(prompt: GoldenPrompt): Promise<string>
  /** One vector for each text. */
  embed(pool: string, texts: readonly string[]): Promise<readonly (readonly number[])[]>
  /** Asks a model of another pool. Resolves to the text. */
  askPool(pool: string, prompt: string): Promise<string>
}
