/** Decides from the bytes alone whether what an origin got is what its clients asked for. Knows nothing of the balancer's code. */
import { readRequest, valuesOf, type Message } from './message-reader.js'
import type { Talk } from './raw-client.js'
import { receipt, type OriginConnection, type OriginRequest } from './raw-origin.js'
import { HUSH } from './request-case.js'

const LINES = new Set(['/v1/chat/completions', '/v1/completions', '/v1/embeddings'].map((path) => `POST ${path} HTTP/1.1`))
const PROBE = 'GET /v1/models HTTP/1.1'
/** Of the client, and those that the balancer writes itself. */
const ALLOWED = /^(?:content-type|accept|user-agent|traceparent|tracestate|baggage|x-session-id|openai-.*|anthropic-.*|x-stainless-.*)$/
const OWN = new Set(['host', 'content-length', 'connection', 'x-request-id', 'content-type'])

/** All whole requests that these bytes hold, as far as they have one meaning; what stands behind a last request is nothing. */
export function requestsIn(bytes: Buffer): Message[] {
  const found: Message[] = []
  let rest = bytes
  while (rest.byteLength > 0) {
    const message = readRequest(rest)
    if (message === 'more' || 'error' in message) break
    found.push(message)
    rest = rest.subarray(message.bytes)
    if (endsConnection(message)) break
  }
  return found
}

function endsConnection(message: Message): boolean {
  const options = valuesOf(message, 'connection').join(',').toLowerCase()
  return /\bclose\b/.test(options) || (message.startLine.endsWith('HTTP/1.0') && !/\bkeep-alive\b/.test(options))
}

/**
 * What is wrong with the bytes of an origin's connections, given the requests that were sent; empty when nothing is. `order`: one client sent them, so
 * that their order counts; else those that have arrived are taken off the list, and the rest may come later.
 */
export function judgeOrigin(connections: readonly OriginConnection[], authority: string, sent: Message[], order: boolean): string[] {
  const requests = connections.flatMap((connection) => connection.requests).sort((a, b) => a.order - b.order)
  const own = requests.filter(({ startLine }) => startLine !== PROBE)
  return [
    ...connections.flatMap(wholeness),
    ...own.flatMap((request) => wellFormed(request, authority)),
    ...requests
      .filter(({ startLine }) => startLine === PROBE)
      .flatMap((request) => (request.body.byteLength > 0 ? ['a probe with a body'] : [])),
    ...asked(own, sent, order),
  ]
}

function wholeness({ bytes, error, requests }: OriginConnection): string[] {
  const used = requests.reduce((sum, request) => sum + request.bytes, 0)
  return [
    ...(error === undefined ? [] : [`the origin got what is no request: ${error}`]),
    ...(used === bytes.byteLength
      ? []
      : [`the origin got ${bytes.byteLength - used} bytes that belong to no whole request: ${show(bytes.subarray(used))}`]),
    ...(bytes.includes(HUSH) ? ['a header travelled that must stay'] : []),
  ]
}

function wellFormed(request: OriginRequest, authority: string): string[] {
  const names = request.fields.map(({ name }) => name)
  const foreign = names.filter((name) => !OWN.has(name) && !ALLOWED.test(name))
  const twice = names.filter((name, at) => names.indexOf(name) !== at)
  return [
    ...(LINES.has(request.startLine) ? [] : [`a request line that is not ours: ${request.startLine}`]),
    ...foreign.map((name) => `a header outside the allow-list: ${name}`),
    ...twice.map((name) => `a header twice: ${name}`),
    ...((request.raw[0] ?? 0) < 0x21 || !/^[A-Z]+ \S+ HTTP/.test(request.startLine) ? ['a request line that is not exact'] : []),
    ...(valuesOf(request, 'host')[0] === authority ? [] : ['a Host that is not the origin']),
    ...(valuesOf(request, 'content-length')[0] === String(request.body.byteLength) ? [] : ['no exact Content-Length']),
    ...(valuesOf(request, 'connection')[0] === 'keep-alive' ? [] : ['a Connection that is not ours']),
  ]
}

/** Each request of the origin must be one that a client sent, body for body, in order and once. */
function asked(requests: readonly OriginRequest[], sent: Message[], inOrder: boolean): string[] {
  let from = 0
  const violations: string[] = []
  for (const request of requests) {
    const at = sent.findIndex((message, index) => index >= from && message.body.equals(request.body))
    if (at === -1) violations.push(`the origin got a body that no client sent, not in this order, or not so often: ${show(request.body)}`)
    else if (inOrder) from = at + 1
    else sent.splice(at, 1)
  }
  return violations
}

/** What is wrong with the answers that one client saw: shape, number, order. `bare`: the host's server may refuse without a body. */
export function judgeAnswers(talk: Talk, sent: Buffer, options: { readonly bare: boolean }): string[] {
  const messages = requestsIn(sent)
  const bodies = messages.map(({ body }) => receipt(body))
  const receipts = talk.responses.map(({ body }) => body.toString('latin1')).filter((text) => text.includes('"receipt"'))
  let from = 0
  const violations: string[] = []
  for (const text of receipts) {
    const at = bodies.indexOf(text, from)
    if (at === -1) violations.push(`an answer to nothing that was asked here: ${text}`)
    else from = at + 1
  }
  if (talk.responses.length > messages.length + 1) violations.push(`${talk.responses.length} answers to ${messages.length} requests`)
  if (talk.error !== undefined) violations.push(`an answer that is not HTTP/1.1: ${talk.error}: ${show(talk.rest)}`)
  for (const response of talk.responses) violations.push(...judgeError(response, options.bare))
  return violations
}

/** An error comes in the shape that OpenAI's clients read. */
function judgeError(response: Message, bare: boolean): string[] {
  const status = Number(response.startLine.slice(9, 12))
  if (status < 400 || (bare && response.body.byteLength === 0)) return []
  return isOpenAiError(response.body) ? [] : [`a ${status} that is no OpenAI error: ${show(response.body)}`]
}

export function isOpenAiError(body: Buffer): boolean {
  try {
    const { error } = JSON.parse(body.toString()) as { error?: { message?: unknown; type?: unknown; code?: unknown } }
    return typeof error?.message === 'string' && typeof error.type === 'string' && typeof error.code === 'string'
  } catch {
    return false
  }
}

/** Whether the last event of a stream, as HTML 9.2.6 reads it, is an error in OpenAI's shape. */
export function endsInErrorEvent(stream: Buffer): boolean {
  const blocks = stream
    .toString('utf8')
    .replaceAll(/\r\n|\r/g, '\n')
    .split('\n\n')
  const complete = blocks.slice(0, -1).filter((block) => block !== '')
  const data = (complete.at(-1) ?? '').split('\n').filter((line) => line.startsWith('data:'))
  return isOpenAiError(Buffer.from(data.map((line) => line.slice(5)).join('\n')))
}

export const show = (bytes: Buffer): string => JSON.stringify(bytes.toString('latin1', 0, 160))
