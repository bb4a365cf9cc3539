/** A client on raw node:http that trusts nothing: says of each answer how it ended, whether it is the right text, and when its parts came. */
import { request, type Agent, type IncomingMessage } from 'node:http'
import { compare, type Difference } from './compare.js'
import { EventReader, type StreamEnd } from './event-reader.js'
import type { Question } from './questions.js'

/**
 * `whole`: the right answer with its end. `wrong`: looks whole and is not the right one. `error-event`: a stream that ended in the error event of
 * its dialect, without `[DONE]`. `refused`: an error status. `cut`: broke off after something of the answer was there, and nothing said so. `broken`: no
 * answer at all. `hung`: neither end nor error before the deadline.
 */
export type AnswerKind = 'whole' | 'wrong' | 'error-event' | 'refused' | 'cut' | 'broken' | 'hung'

export interface Answered {
  readonly kind: AnswerKind
  readonly stream: boolean
  readonly status: number
  readonly text: string
  /** Of the answer's usage; of a stream without it 0. */
  readonly tokens: number
  /** Of what was shown, against the right text; for streams that ended early, of what was shown until then. */
  readonly difference: Difference
  /** `[DONE]` stood at the end of a text that is not whole. */
  readonly fakeDone: boolean
  /** From `x-lb-node` and `x-lb-attempts`, where there are such. */
  readonly node: string | undefined
  readonly attempts: number
  /** Of a refusal, as its header says it. */
  readonly retryAfter: string | undefined
  /** On the monotonic clock. */
  readonly startedAtMs: number
  readonly firstContentAtMs: number | undefined
  readonly endedAtMs: number
  /** For people: the error, the refusal's text. */
  readonly said: string
}

export interface AskOptions {
  readonly stream: boolean
  /** Then it counts as hung. */
  readonly deadlineMs: number
  /** Absent: a connection of its own. */
  readonly agent?: Agent
  /** Told once, when the first content has come. */
  readonly onContent?: () => void
  readonly headers?: Readonly<Record<string, string>>
}

export function ask(url: string, question: Question, options: AskOptions): Promise<Answered> {
  return new Asking(question, options).ask(url)
}

class Asking {
  private readonly startedAtMs = performance.now()
  private firstContentAtMs: number | undefined
  private answer: IncomingMessage | undefined
  private plain = ''
  private readonly events = new EventReader()
  private timer: NodeJS.Timeout | undefined
  private over = false

  constructor(
    private readonly question: Question,
    private readonly options: AskOptions,
  ) {}

  ask(url: string): Promise<Answered> {
    const { stream, deadlineMs, agent, headers } = this.options
    const body = this.question.body(stream)
    return new Promise((resolve) => {
      const end = (kind: AnswerKind | undefined, said: string): void => {
        if (this.over) return
        this.over = true
        clearTimeout(this.timer)
        resolve(this.result(kind, said))
      }
      const all = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers }
      const sent = request(`${url}/v1/chat/completions`, { method: 'POST', headers: all, agent: agent ?? false }, (answer) => {
        this.answer = answer
        answer.on('data', (bytes: Buffer) => this.read(bytes))
        answer.on('error', () => undefined)
        answer.on('close', () => end(answer.complete ? undefined : 'cut', answer.complete ? '' : 'the connection broke'))
      })
      sent.on('error', (error) => end(this.answer === undefined ? 'broken' : 'cut', error.message))
      this.timer = setTimeout(() => {
        end('hung', `nothing for ${deadlineMs} ms`)
        sent.destroy()
      }, deadlineMs)
      sent.end(body)
    })
  }

  private read(bytes: Buffer): void {
    const isStream = String(this.answer?.headers['content-type']).includes('text/event-stream')
    if (isStream) this.events.read(bytes)
    else this.plain += bytes.toString('latin1')
    if (this.firstContentAtMs !== undefined || (isStream && this.events.text === '')) return
    this.firstContentAtMs = performance.now()
    this.options.onContent?.()
  }

  /** `kind`: where the connection says it; undefined where the answer came to an end, and its content says it. */
  private result(kind: AnswerKind | undefined, said: string): Answered {
    const { answer, question, options, startedAtMs, firstContentAtMs } = this
    const status = answer?.statusCode ?? 0
    const body = Buffer.from(this.plain, 'latin1').toString('utf8')
    const end = options.stream && status === 200 && this.plain === '' ? this.events.end() : plainEnd(body)
    const difference = compare(question.text ?? end.text, end.text)
    const judged = kind ?? (status === 200 ? judge(end, difference) : 'refused')
    return {
      kind: judged,
      stream: options.stream,
      status,
      text: end.text,
      tokens: end.tokens,
      difference,
      fakeDone: end.done && judged !== 'whole' && judged !== 'refused',
      node: header(answer, 'x-lb-node'),
      attempts: Number(header(answer, 'x-lb-attempts') ?? 1),
      retryAfter: header(answer, 'retry-after'),
      startedAtMs,
      firstContentAtMs,
      endedAtMs: performance.now(),
      said: said || (judged === 'whole' ? '' : end.said || body.slice(0, 300)),
    }
  }
}

function judge(end: StreamEnd, { isEqual }: Difference): AnswerKind {
  if (end.error) return end.done ? 'wrong' : 'error-event'
  if (!end.done) return 'cut'
  return isEqual && end.finish !== undefined ? 'whole' : 'wrong'
}

interface PlainBody {
  readonly choices?: readonly { readonly message?: { readonly content?: string }; readonly finish_reason?: string }[]
  readonly usage?: { readonly completion_tokens?: number }
}

function plainEnd(body: string): StreamEnd {
  try {
    const { choices, usage } = JSON.parse(body) as PlainBody
    const { message, finish_reason: finish } = choices?.[0] ?? {}
    return { text: message?.content ?? '', tokens: usage?.completion_tokens ?? 0, done: true, error: false, finish, said: '' }
  } catch {
    return { text: '', tokens: 0, done: false, error: false, finish: undefined, said: `no JSON: ${body.slice(0, 200)}` }
  }
}

function header(answer: IncomingMessage | undefined, name: string): string | undefined {
  const value = answer?.headers[name]
  return typeof value === 'string' ? value : undefined
}
