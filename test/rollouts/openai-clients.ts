/** Clients that are the official library, with retries switched off: what it throws is a failure that people would see. */
import OpenAI, { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai'
import { Seeded } from '../e2e/seeded.js'
import { pause } from '../e2e/steady-load.js'
import { compare } from '../reliability/compare.js'
import type { Answered, AnswerKind } from '../reliability/client.js'
import type { Question } from '../reliability/questions.js'

export interface OpenaiOptions {
  readonly url: string
  readonly clients: number
  readonly question: (index: number) => Question
  readonly deadlineMs: number
  /** Between two questions of one client, in the middle. */
  readonly pauseMs?: number
}

type Body = Omit<OpenAI.ChatCompletionCreateParamsNonStreaming, 'stream'>

interface Read {
  readonly text: string
  readonly finish: string | null | undefined
  readonly tokens: number
  readonly headers: Headers
}

/** Every other request is a stream. */
export class OpenaiClients {
  readonly answers: Answered[] = []
  private readonly random = new Seeded(8)
  private readonly client: OpenAI
  private readonly lanes: Promise<unknown>
  private stopped = false
  private asked = 0

  constructor(private readonly options: OpenaiOptions) {
    this.client = new OpenAI({ baseURL: `${options.url}/v1`, apiKey: 'not-needed', maxRetries: 0, timeout: options.deadlineMs })
    this.lanes = Promise.all(Array.from({ length: options.clients }, () => this.lane()))
  }

  async stop(): Promise<readonly Answered[]> {
    this.stopped = true
    await this.lanes
    return this.answers
  }

  private async lane(): Promise<void> {
    while (!this.stopped) {
      const index = this.asked++
      this.answers.push(await this.ask(this.options.question(index), index % 2 === 0))
      await pause(this.random.below(1 + 2 * (this.options.pauseMs ?? 0)))
    }
  }

  private async ask(question: Question, stream: boolean): Promise<Answered> {
    const startedAtMs = performance.now()
    const { stream: _, ...body } = JSON.parse(question.body(stream)) as Body & { stream: boolean }
    const end = (kind: AnswerKind, part: Partial<Answered>): Answered => ({
      kind,
      stream,
      status: 0,
      text: '',
      tokens: 0,
      difference: compare(question.text ?? '', part.text ?? ''),
      fakeDone: false,
      node: undefined,
      attempts: 1,
      retryAfter: undefined,
      startedAtMs,
      firstContentAtMs: undefined,
      endedAtMs: performance.now(),
      said: '',
      ...part,
    })
    try {
      const { text, finish, tokens, headers } = await (stream ? this.streamed(body) : this.plain(body))
      const isWhole = text === question.text && typeof finish === 'string'
      const node = headers.get('x-lb-node') ?? undefined
      return end(isWhole ? 'whole' : 'wrong', { status: 200, text, tokens, node, attempts: Number(headers.get('x-lb-attempts') ?? 1) })
    } catch (error) {
      const refusal = error instanceof APIError ? error : undefined
      const retryAfter = refusal?.headers?.get('retry-after') ?? undefined
      return end(kindOf(error), { said: String(error).slice(0, 300), status: refusal?.status ?? 0, retryAfter })
    }
  }

  private async plain(body: Body): Promise<Read> {
    const { data, response } = await this.client.chat.completions.create({ ...body, stream: false }).withResponse()
    const [choice] = data.choices
    const { headers } = response
    return { text: choice?.message.content ?? '', finish: choice?.finish_reason, tokens: data.usage?.completion_tokens ?? 0, headers }
  }

  private async streamed(body: Body): Promise<Read> {
    const { data, response } = await this.client.chat.completions.create({ ...body, stream: true }).withResponse()
    let text = ''
    let finish: string | null | undefined
    for await (const chunk of data) {
      text += chunk.choices[0]?.delta.content ?? ''
      finish = chunk.choices[0]?.finish_reason ?? finish
    }
    return { text, finish, tokens: 0, headers: response.headers }
  }
}

/** The library gives an error event no status either; it has a code then. */
function kindOf(error: unknown): AnswerKind {
  if (error instanceof APIConnectionTimeoutError) return 'hung'
  if (error instanceof APIConnectionError) return 'broken'
  if (error instanceof APIError) return error.status === undefined ? 'error-event' : 'refused'
  return 'cut'
}
