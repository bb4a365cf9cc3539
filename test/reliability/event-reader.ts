/** Reads an event stream as a client does, from bytes that may be cut anywhere. */
export interface StreamEnd {
  readonly text: string
  readonly tokens: number
  /** `[DONE]` came; of a plain answer: it is whole JSON. */
  readonly done: boolean
  readonly error: boolean
  /** The finish reason. */
  readonly finish: string | undefined
  readonly said: string
}

interface Chunk {
  readonly choices?: readonly { readonly delta?: { readonly content?: string }; readonly finish_reason?: string | null }[]
  readonly usage?: { readonly completion_tokens?: number } | null
  readonly error?: unknown
}

export class EventReader {
  text = ''
  private rest = ''
  private tokens = 0
  private done = false
  private error = false
  private finish: string | undefined
  private said = ''
  private readonly decoder = new TextDecoder()

  read(bytes: Uint8Array): void {
    const events = (this.rest + this.decoder.decode(bytes, { stream: true })).split('\n\n')
    this.rest = events.pop() ?? ''
    for (const event of events) this.event(event)
  }

  end(): StreamEnd {
    const { text, tokens, done, error, finish, said } = this
    return { text, tokens, done, error, finish, said }
  }

  private event(event: string): void {
    const data = event
      .split('\n')
      .filter((line) => line.startsWith('data:'))
      .map((line) => line.slice(5).trimStart())
      .join('\n')
    if (data === '') return
    if (this.done) this.fail(`an event after [DONE]: ${data}`)
    if (data === '[DONE]') this.done = true
    else this.chunk(data)
  }

  private chunk(data: string): void {
    try {
      const chunk = JSON.parse(data) as Chunk
      if (chunk.error !== undefined) return this.fail(data)
      const [choice] = chunk.choices ?? []
      this.text += choice?.delta?.content ?? ''
      this.finish = choice?.finish_reason ?? this.finish
      this.tokens = chunk.usage?.completion_tokens ?? this.tokens
    } catch {
      this.fail(`no JSON: ${data}`)
    }
  }

  private fail(said: string): void {
    this.error = true
    this.said = said.slice(0, 300)
  }
}
