import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { recorded } from './recorded-server.test.fixture.js'

const RESULT_MS = 10
/** How long the whole process must be without a result before a plain request's client is looked at: measured, b10573. */
const UNNOTICED_MS = 1_000

const chunk = (delta: string): string =>
  `data: {"choices":[{"finish_reason":null,"index":0,"delta":${delta}}],"created":1,"id":"chatcmpl-1","model":"tiny.gguf","system_fingerprint":"b10573","object":"chat.completion.chunk"}\n\n`

/**
 * Answers never end here, and slots come free as in the real llama-server: that of a stream as soon as its client has left, that of a plain request only
 * when for a second no request of the process got a result.
 */
export class SlotServer {
  busy = 0
  /** Results that streams got, over all of them. */
  results = 0
  url = ''
  private lastResultMs = performance.now()
  private readonly server: Server = createServer((request, response) => this.take(request, response))
  private readonly timers = new Set<NodeJS.Timeout>()

  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve))
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
    return this
  }

  close(): void {
    for (const timer of this.timers) clearInterval(timer)
    this.server.closeAllConnections()
    this.server.close()
  }

  private take(request: IncomingMessage, response: ServerResponse): void {
    const known: Readonly<Record<string, string>> = { '/health': 'health-ready', '/v1/models': 'v1-models', '/props': 'props' }
    const name = known[request.url ?? '']
    if (name !== undefined) return void response.end(recorded(name).body)
    if (request.method !== 'POST') return void response.writeHead(404).end()
    let body = ''
    request.on('data', (part: Buffer) => (body += part.toString()))
    request.on('end', () => this.generate(response, body.includes('"stream":true')))
  }

  private generate(response: ServerResponse, stream: boolean): void {
    this.busy += 1
    if (stream) response.writeHead(200, { 'content-type': 'text/event-stream' }).write(chunk('{"role":"assistant","content":null}'))
    const timer = setInterval(() => {
      if (stream && !response.destroyed) this.result(response)
      else if (response.destroyed && (stream || performance.now() - this.lastResultMs > UNNOTICED_MS)) this.release(timer)
    }, RESULT_MS)
    this.timers.add(timer)
  }

  private result(response: ServerResponse): void {
    this.results += 1
    this.lastResultMs = performance.now()
    response.write(chunk('{"content":" word"}'))
  }

  private release(timer: NodeJS.Timeout): void {
    clearInterval(timer)
    this.timers.delete(timer)
    this.busy -= 1
  }
}
