/** An engine that does what the last message says, and stamps when its connection was gone. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One request that the engine was sent. */
export interface Call {
  readonly id: string
  readonly atMs: number
  /** When the client's side of the connection was gone; undefined: it is there. */
  closedAtMs: number | undefined
}

const CHUNK_MS = 5
const HALF = 3

/**
 * The last user message is `WORD ID`. `silent`: nothing is answered. `stream`: content for ever. `break`: by its first node the connection is reset; by any
 * other as `silent`. `half`: by its first node three pieces of content, then a reset; by any other as `silent`. `lost`: each node resets it.
 */
export class StampingEngine {
  readonly calls: Call[] = []
  private readonly server: Server
  private readonly streams = new Set<NodeJS.Timeout>()

  constructor(
    private readonly models: readonly string[],
    /** Ids that some engine has broken off before. */
    private readonly broken: Set<string>,
  ) {
    this.server = createServer((request, response) => void this.serve(request, response))
    this.server.keepAliveTimeout = 60_000
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  /** Requests that it still works on. */
  get running(): number {
    return this.calls.filter(({ closedAtMs }) => closedAtMs === undefined).length
  }

  callsOf(id: string): readonly Call[] {
    return this.calls.filter((call) => call.id === id)
  }

  close(): void {
    for (const stream of this.streams) clearInterval(stream)
    this.server.closeAllConnections()
    this.server.close()
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request
    if (request.method === 'GET') return this.tell(request.url ?? '', response)
    let text = ''
    request.on('error', () => undefined)
    for await (const part of request) text += String(part)
    const { messages, stream } = JSON.parse(text) as { messages: { role: string; content: string }[]; stream?: boolean }
    const asked = messages.findLast(({ role }) => role === 'user')?.content ?? ''
    const [word = '', id = ''] = asked.split(' ')
    const call: Call = { id, atMs: performance.now(), closedAtMs: undefined }
    this.calls.push(call)
    socket.once('close', () => (call.closedAtMs = performance.now()))
    const isFirst = !this.broken.has(id)
    if (word === 'lost' || (word === 'break' && isFirst)) {
      this.broken.add(id)
      return void socket.resetAndDestroy()
    }
    if (word === 'half' && isFirst) {
      this.broken.add(id)
      return this.write(response, HALF, () => socket.destroy())
    }
    if (word === 'stream' && stream === true) this.write(response, Infinity, () => undefined)
  }

  private tell(url: string, response: ServerResponse): void {
    const json = url.startsWith('/v1/models')
      ? { object: 'list', data: this.models.map((id) => ({ id, object: 'model', created: 1, owned_by: 'test' })) }
      : { status: 'ok', models: this.models, version: '1' }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(json))
  }

  private write(response: ServerResponse, pieces: number, after: () => void): void {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const event = (delta: object): string =>
      `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: this.models[0], choices: [{ index: 0, delta, finish_reason: null }] })}\n\n`
    response.write(event({ role: 'assistant', content: '' }))
    let count = 0
    const timer = setInterval(() => {
      if (count === pieces || response.destroyed) {
        clearInterval(timer)
        this.streams.delete(timer)
        return after()
      }
      count += 1
      response.write(event({ content: `word ${count} ` }))
    }, CHUNK_MS)
    this.streams.add(timer)
  }
}
