/** An engine of the harness's own process that answers as a script says, with the health of one that is well. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ScriptedCall {
  /** Counts from 0. */
  readonly index: number
  readonly body: string
  readonly stream: boolean
  readonly response: ServerResponse
}

export type Script = (call: ScriptedCall) => void

const models = JSON.stringify({ object: 'list', data: [{ id: 'sim-8b', object: 'model', created: 1, owned_by: 'test' }] })

export class ScriptedEngine {
  /** Requests for answers so far. */
  calls = 0

  private constructor(
    private readonly server: Server,
    private readonly script: Script,
  ) {}

  static async start(script: Script): Promise<ScriptedEngine> {
    const server = createServer()
    const engine = new ScriptedEngine(server, script)
    server.on('request', (request, response) => void engine.serve(request, response))
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 })
    await once(server, 'listening')
    return engine
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    this.server.close()
    this.server.closeAllConnections()
    await once(this.server, 'close')
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined)
    request.on('error', () => undefined)
    if (request.method !== 'POST') return void response.writeHead(200, { 'content-type': 'application/json' }).end(models)
    const index = this.calls++
    const parts: Buffer[] = []
    request.on('data', (bytes: Buffer) => parts.push(bytes))
    await once(request, 'end').catch(() => undefined)
    const body = Buffer.concat(parts).toString('utf8')
    this.script({ index, body, stream: /"stream":\s*true/u.test(body), response })
  }
}

const ROLE = `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"sim-8b","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n`
const DIES_AFTER_MS = 50

/** Says whose turn it is and dies, every second time without a reset: no word of an answer has been said then. */
export const saysItsRoleAndDies: Script = ({ index, stream, response }) => {
  const { socket } = response
  if (!stream) {
    socket?.resetAndDestroy()
    return
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.write(ROLE)
  setTimeout(() => (index % 2 === 0 ? socket?.destroy() : socket?.resetAndDestroy()), DIES_AFTER_MS)
}
