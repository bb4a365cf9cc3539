/** Streams that are more than plain text from one choice, which the simulated engine does not write: an engine that follows a script, with the health check of `sim`. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

const PIECES = ['The ', 'fjörd ', 'lies ', 'quiet', ', ', 'the ', '灯台 ', 'is ', 'dark', '. '] as const
const ROUNDS = 4
const EVERY_MS = 8
export const shapesModel = 'shapes-1'

type Body = Readonly<Record<string, unknown>>

export class ShapesEngine {
  private constructor(private readonly server: Server) {}

  static async start(): Promise<ShapesEngine> {
    const server = createServer((request, response) => void serve(request, response))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new ShapesEngine(server)
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  close(): Promise<void> {
    this.server.closeAllConnections()
    return new Promise((resolve) => void this.server.close(() => resolve()))
  }
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'POST') {
    const known = request.url === '/health'
    return void response
      .writeHead(known ? 200 : 404, { 'content-type': 'application/json' })
      .end(JSON.stringify({ status: 'ok', models: [shapesModel], version: 'shapes' }))
  }
  let text = ''
  for await (const part of request.setEncoding('utf8')) text += part as string
  const body = JSON.parse(text) as Body
  const id = `shapes-${String(request.headers['x-request-id'])}`
  const chat = request.url?.includes('/chat/') === true
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
  for (const choice of choicesFor(body, chat)) {
    if (response.destroyed) return
    response.write(event(id, chat, choice))
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS))
  }
  response.end('data: [DONE]\n\n')
}

function event(id: string, chat: boolean, choice: object): string {
  const object = chat ? 'chat.completion.chunk' : 'text_completion'
  return `data: ${JSON.stringify({ id, object, created: 1, model: shapesModel, choices: [choice] })}\n\n`
}

function choicesFor(body: Body, chat: boolean): object[] {
  const texts = Array.from({ length: ROUNDS }, () => PIECES).flat()
  const end = (index: number, reason: string): object => ({ index, ...(chat ? { delta: {} } : { text: '' }), finish_reason: reason })
  const said = (text: string, index = 0, more: object = {}): object => ({
    index,
    ...(chat ? { delta: { content: text } } : { text }),
    finish_reason: null,
    ...more,
  })
  if (body['n'] === 2) return [...texts.flatMap((text) => [said(text, 0), said(text.toUpperCase(), 1)]), end(0, 'stop'), end(1, 'stop')]
  if (body['logprobs'] !== undefined)
    return [
      ...texts.map((text) => said(text, 0, { logprobs: { content: [{ token: text, logprob: -0.5, bytes: null, top_logprobs: [] }] } })),
      end(0, 'stop'),
    ]
  if (body['tools'] !== undefined) return [...toolCall(texts), end(0, 'tool_calls')]
  if (body['x_reasoning'] === true) {
    const half = texts.length / 2
    const thoughts = texts.slice(0, half).map((text) => ({ index: 0, delta: { reasoning_content: text }, finish_reason: null }))
    return [...thoughts, ...texts.slice(half).map((text) => said(text)), end(0, 'stop')]
  }
  return [...texts.map((text) => said(text)), end(0, 'stop')]
}

function toolCall(texts: readonly string[]): object[] {
  const delta = (call: object): object => ({ index: 0, delta: { tool_calls: [{ index: 0, ...call }] }, finish_reason: null })
  const first = delta({ id: 'call_1', type: 'function', function: { name: 'look', arguments: '' } })
  return [first, ...texts.map((text) => delta({ function: { arguments: text } }))]
}
