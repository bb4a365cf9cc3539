/** Reads one event stream with the official client, and keeps the bytes that it was given. */
import OpenAI from 'openai'

export interface Ask {
  readonly path: 'chat' | 'completions'
  /** But for the model. */
  readonly body: Readonly<Record<string, unknown>>
}

export interface AskOptions {
  readonly model: string
  readonly requestId?: string
  /** Later than this it counts as hung. */
  readonly withinMs?: number
  readonly onText?: (characters: number) => void
}

export interface Usage {
  readonly prompt_tokens: number
  readonly completion_tokens: number
}

/** All that a client can know of an answer. */
export interface Seen {
  readonly text: string
  /** What the client threw; undefined: it believes in a good end. */
  readonly error: unknown
  readonly hung: boolean
  readonly finishReason: string | null
  readonly usages: readonly Usage[]
  /** How many different ones the chunks had. */
  readonly ids: number
  readonly createds: number
  readonly status: number
  readonly nodes: string
  /** The bytes as text. */
  readonly raw: string
}

interface Chunk {
  readonly id: string
  readonly created: number
  readonly usage?: Usage | null
  readonly choices: readonly {
    readonly delta?: { readonly content?: string | null }
    readonly text?: string
    readonly finish_reason?: string | null
  }[]
}

export async function readStream(url: string, ask: Ask, options: AskOptions): Promise<Seen> {
  const deadline = AbortSignal.timeout(options.withinMs ?? 60_000)
  const copy = new Copy()
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0, logLevel: 'off', fetch: copy.fetch })
  const [ids, createds, usages] = [new Set<string>(), new Set<number>(), [] as Usage[]]
  let text = ''
  let finishReason: string | null = null
  let error: unknown
  try {
    const headers = options.requestId === undefined ? {} : { 'x-request-id': options.requestId }
    for await (const chunk of await streamOf(client, ask, { model: options.model, headers, signal: deadline })) {
      text += chunk.choices[0]?.delta?.content ?? chunk.choices[0]?.text ?? ''
      finishReason = chunk.choices[0]?.finish_reason ?? finishReason
      ids.add(chunk.id)
      createds.add(chunk.created)
      if (chunk.usage) usages.push(chunk.usage)
      options.onText?.(text.length)
    }
  } catch (thrown) {
    error = thrown
  }
  const { raw, status, node } = await copy.whole()
  const hung = deadline.aborted
  return { text, error, hung, finishReason, usages, ids: ids.size, createds: createds.size, status, nodes: node, raw }
}

interface Sending {
  readonly model: string
  readonly headers: Record<string, string>
  readonly signal: AbortSignal
}

async function streamOf(client: OpenAI, { path, body }: Ask, { model, ...sending }: Sending): Promise<AsyncIterable<Chunk>> {
  const whole = { ...body, model, stream: true }
  const answer =
    path === 'chat'
      ? await client.chat.completions.create(whole as never, sending)
      : await client.completions.create(whole as never, sending)
  return answer as unknown as AsyncIterable<Chunk>
}

/** Passes an answer on and keeps what passed. */
class Copy {
  private readonly decoder = new TextDecoder()
  private raw = ''
  private status = 0
  private node = ''
  private ended: Promise<void> = Promise.resolve()

  readonly fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const answer = await fetch(input, init)
    this.status = answer.status
    this.node = answer.headers.get('x-lb-node') ?? ''
    if (answer.body === null) return answer
    const [kept, given] = answer.body.tee()
    this.ended = this.keep(kept)
    return new Response(given, { status: answer.status, headers: answer.headers })
  }

  async whole(): Promise<{ raw: string; status: number; node: string }> {
    await this.ended
    return { raw: this.raw, status: this.status, node: this.node }
  }

  private async keep(body: ReadableStream<Uint8Array>): Promise<void> {
    try {
      for await (const part of body) this.raw += this.decoder.decode(part, { stream: true })
    } catch {
      // The client hears of it too.
    }
  }
}

/** Runs them all, so many at a time, in order. */
export async function inTurns<Item, Result>(
  items: readonly Item[],
  concurrency: number,
  work: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  let next = 0
  const lane = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) results[index] = await work(items[index] as Item, index)
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, lane))
  return results
}
