import { request, type IncomingMessage } from 'node:http'
import { request as requestTls } from 'node:https'
import { LbError, isLbError } from '@plimsoll/core'
import type { GatewayAddress } from './open-connection.js'
import { createSseReader } from './sse-data.js'
import { trustOnly } from './trust-only.js'
import type { Answer } from '../views/answer-text.js'

export interface Question {
  readonly address: GatewayAddress
  readonly model: string
  readonly prompt: string
  readonly maxTokens?: number | undefined
  readonly apiKey?: string | undefined
  readonly signal: AbortSignal
  /** Parts of the answer as they come. */
  readonly onText: (text: string) => void
}

interface Collected {
  text: string
  firstMs: number | undefined
  finishReason: string | null
  usage: { readonly prompt_tokens?: number; readonly completion_tokens?: number } | undefined
}

/** Asks one chat question through the gateway and streams the answer. Throws LB_GATEWAY_REFUSED with what the gateway said, LB_ANSWER_CUT. */
export async function askGateway(question: Question): Promise<Answer> {
  const startedMs = performance.now()
  const response = await send(question)
  if (response.statusCode !== 200) throw await refusal(response)
  const collected: Collected = { text: '', firstMs: undefined, finishReason: null, usage: undefined }
  let done = false
  const read = createSseReader((data) => {
    if (data === '[DONE]') done = true
    else take(collected, parseEvent(data), question.onText)
  })
  try {
    for await (const part of response.setEncoding('utf8') as AsyncIterable<string>) read(part)
  } catch (error) {
    // A connection that breaks shows as the missing end mark.
    if (question.signal.aborted || isLbError(error)) throw error
  }
  if (!done) throw cut()
  return answerOf(question, response, { collected, startedMs, endedMs: performance.now() })
}

function send(question: Question): Promise<IncomingMessage> {
  const body = JSON.stringify({
    model: question.model,
    stream: true,
    stream_options: { include_usage: true },
    ...(question.maxTokens === undefined ? {} : { max_tokens: question.maxTokens }),
    messages: [{ role: 'user', content: question.prompt }],
  })
  const headers = {
    'content-type': 'application/json',
    // So that lb why can tell of it.
    'x-lb-trace': '1',
    'content-length': Buffer.byteLength(body),
    ...(question.apiKey === undefined ? {} : { authorization: `Bearer ${question.apiKey}` }),
  }
  const { socket, certFile } = question.address
  const call = { ...socket, path: '/v1/chat/completions', method: 'POST', headers, signal: question.signal }
  return new Promise((resolve, reject) => {
    const sent = certFile === undefined ? request(call, resolve) : requestTls({ ...call, ...trustOnly(certFile) }, resolve)
    sent.once('error', (cause) => reject(question.signal.aborted ? cause : unreachable(cause))).end(body)
  })
}

interface ChatEvent {
  readonly choices?: readonly {
    readonly delta?: { readonly content?: unknown; readonly reasoning_content?: unknown }
    readonly finish_reason?: unknown
  }[]
  readonly usage?: Collected['usage'] | null
  readonly error?: { readonly message?: unknown }
}

function parseEvent(data: string): ChatEvent {
  try {
    return JSON.parse(data) as ChatEvent
  } catch (cause) {
    throw new LbError('the answer is no event stream of JSON', {
      code: 'LB_ANSWER_CUT',
      source: 'engine',
      hint: 'lb logs shows what the node said',
      cause,
    })
  }
}

function take(collected: Collected, event: ChatEvent, onText: (text: string) => void): void {
  if (event.error !== undefined) throw cut(typeof event.error.message === 'string' ? event.error.message : 'the engine failed')
  const [choice] = event.choices ?? []
  const { content, reasoning_content: reasoning } = choice?.delta ?? {}
  if (content || reasoning) collected.firstMs ??= performance.now()
  if (typeof content === 'string') {
    collected.text += content
    onText(content)
  }
  if (typeof choice?.finish_reason === 'string') collected.finishReason = choice.finish_reason
  if (event.usage) collected.usage = event.usage
}

function answerOf(
  question: Question,
  { headers }: IncomingMessage,
  { collected, startedMs, endedMs }: { collected: Collected; startedMs: number; endedMs: number },
): Answer {
  const { firstMs, usage } = collected
  const tokens = usage?.completion_tokens ?? null
  const decodeMs = firstMs === undefined ? 0 : endedMs - firstMs
  const attempts = Number(textOf(headers['x-lb-attempts']))
  return {
    model: question.model,
    node: textOf(headers['x-lb-node']),
    requestId: textOf(headers['x-request-id']),
    attempts: Number.isInteger(attempts) && attempts > 0 ? attempts : null,
    text: collected.text,
    finishReason: collected.finishReason,
    promptTokens: usage?.prompt_tokens ?? null,
    completionTokens: tokens,
    ttftMs: firstMs === undefined ? null : firstMs - startedMs,
    totalMs: endedMs - startedMs,
    tokensPerSecond: tokens !== null && tokens > 1 && decodeMs > 0 ? ((tokens - 1) * 1000) / decodeMs : null,
  }
}

function textOf(header: string | string[] | undefined): string | null {
  return typeof header === 'string' ? header : null
}

async function refusal(response: IncomingMessage): Promise<LbError> {
  let text = ''
  for await (const part of response.setEncoding('utf8') as AsyncIterable<string>) if (text.length < 65_536) text += part
  const status = response.statusCode ?? 0
  const hint =
    status === 401 ? 'the gateway wants a key: export LB_API_KEY=...' : 'lb status shows which pools answer, lb logs why one does not'
  return new LbError(`the gateway refused (${status}): ${messageIn(text)}`, {
    code: 'LB_GATEWAY_REFUSED',
    source: 'lb',
    httpStatus: status,
    hint,
  })
}

function messageIn(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown } }
    return typeof error?.message === 'string' ? error.message : text.slice(0, 300)
  } catch {
    return text.slice(0, 300)
  }
}

function unreachable(cause: Error): LbError {
  return new LbError(`the gateway cannot be reached: ${cause.message}`, {
    code: 'LB_GATEWAY_UNREACHABLE',
    source: 'lb',
    hint: 'lb status shows where it listens',
    cause,
  })
}

function cut(why = 'the stream ended before its end mark'): LbError {
  return new LbError(`the answer was cut: ${why}`, {
    code: 'LB_ANSWER_CUT',
    source: 'engine',
    hint: 'ask again; lb logs shows what the node said',
  })
}
