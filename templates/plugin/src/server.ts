/** The engine of this example: a server of some hundred lines that says back what it was told, word by word, in OpenAI's chat protocol. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as after } from 'node:timers/promises'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '8099' },
    model: { type: 'string', multiple: true, default: ['echo'] },
    'word-ms': { type: 'string', default: '5' },
    'load-ms': { type: 'string', default: '0' },
  },
})
const models = values.model
const wordMs = Number(values['word-ms'])
const readyAtMs = performance.now() + Number(values['load-ms'])
let running = 0

interface ChatRequest {
  readonly stream?: boolean
  readonly stream_options?: { readonly include_usage?: boolean } | null
  readonly messages?: readonly { readonly content?: unknown }[]
}

const server = createServer((request, response) => void serve(request, response).catch(() => response.destroy()))
server.listen(Number(values.port), values.host, () => process.stdout.write(`listening on http://${values.host}:${values.port}\n`))
process.on('SIGTERM', () => process.exit(0))

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url ?? ''
  if (path === '/load') return send(response, 200, { running })
  if (performance.now() < readyAtMs) return send(response, 503, { state: 'loading' })
  if (path === '/health') return send(response, 200, { state: 'ready', models })
  if (path === '/v1/models')
    return send(response, 200, { object: 'list', data: models.map((id) => ({ id, object: 'model', owned_by: '__NAME__' })) })
  if (path !== '/v1/chat/completions' || request.method !== 'POST') return refuse(response, 404, 'not found')
  running += 1
  try {
    await chat(request, response)
  } finally {
    running -= 1
  }
}

async function chat(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await readBody(request)
  const last = body?.messages?.at(-1)
  if (body === undefined || last === undefined) return refuse(response, 400, 'messages is missing')
  const words = `You said: ${typeof last.content === 'string' ? last.content : JSON.stringify(last.content)}`.split(/(?<= )/)
  const usage = { prompt_tokens: words.length - 2, completion_tokens: words.length, total_tokens: 2 * words.length - 2 }
  if (body.stream === true) return stream(response, words, body.stream_options?.include_usage === true ? usage : undefined)
  await after(wordMs * words.length)
  const message = { role: 'assistant', content: words.join('') }
  send(response, 200, { ...head('chat.completion'), choices: [{ index: 0, message, finish_reason: 'stop' }], usage })
}

async function stream(response: ServerResponse, words: readonly string[], usage: object | undefined): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
  const event = (fields: object) => response.write(`data: ${JSON.stringify({ ...head('chat.completion.chunk'), ...fields })}\n\n`)
  for (const word of words) {
    await after(wordMs)
    // The client left: nobody reads on, and the node is free.
    if (response.destroyed) return
    event({ choices: [{ index: 0, delta: { content: word }, finish_reason: null }] })
  }
  event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })
  if (usage !== undefined) event({ choices: [], usage })
  response.end('data: [DONE]\n\n')
}

function head(object: string): object {
  return { id: `chatcmpl-${Math.random().toString(36).slice(2)}`, object, created: Math.floor(Date.now() / 1000), model: models[0] }
}

async function readBody(request: IncomingMessage): Promise<ChatRequest | undefined> {
  const parts: Buffer[] = []
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part)
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8')) as ChatRequest
  } catch {
    return undefined
  }
}

function refuse(response: ServerResponse, status: number, message: string): void {
  send(response, status, { error: { message, type: 'invalid_request_error', code: status } })
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
