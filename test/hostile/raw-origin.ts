/** An engine that keeps every byte it is sent, per connection, and answers with whatever bytes the script says. */
import { createHash } from 'node:crypto'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { readRequest, type Message } from './message-reader.js'

/** One connection of the balancer, as the wire gave it. */
export interface OriginConnection {
  bytes: Buffer
  readonly requests: OriginRequest[]
  /** Why the bytes stopped being HTTP/1.1. */
  error: string | undefined
}

export interface OriginRequest extends Message {
  /** Order of arrival over all connections. */
  readonly order: number
  readonly raw: Buffer
}

/** Writes the answer to one request. */
export type Script = (request: OriginRequest, socket: Socket) => void

const MODELS = JSON.stringify({ object: 'list', data: [{ id: 'm', object: 'model', created: 1, owned_by: 'test' }] })

export const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex').slice(0, 16)

/** A plain answer with a length. */
export function plain(body: string | Buffer, more = ''): Buffer {
  const bytes = Buffer.from(body)
  return Buffer.concat([
    Buffer.from(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${bytes.byteLength}\r\n${more}\r\n`),
    bytes,
  ])
}

/** What every unscripted request is answered: enough to know which body it was. */
export const receipt = (body: Uint8Array): string => JSON.stringify({ object: 'receipt', bytes: body.byteLength, sha: sha(body) })

const byDefault: Script = (request, socket) => void socket.write(plain(receipt(request.body)))

export class RawOrigin {
  connections: OriginConnection[] = []
  script: Script = byDefault
  private readonly sockets = new Set<Socket>()
  private order = 0

  private constructor(private readonly server: Server) {}

  static async start(): Promise<RawOrigin> {
    const server = createServer()
    const origin = new RawOrigin(server)
    server.on('connection', (socket) => origin.accept(socket))
    await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, resolve))
    return origin
  }

  get authority(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  get url(): string {
    return `http://${this.authority}`
  }

  /** The connections so far; they are forgotten, open ones are kept with nothing in them. */
  take(): OriginConnection[] {
    const taken = this.connections.filter(({ bytes }) => bytes.byteLength > 0).map((one) => ({ ...one, requests: [...one.requests] }))
    this.connections = this.connections.map((one) => {
      one.bytes = Buffer.alloc(0)
      one.requests.length = 0
      return one
    })
    return taken
  }

  /** Answers as if nothing was ever scripted. */
  calm(): void {
    this.script = byDefault
  }

  cut(): void {
    for (const socket of this.sockets) socket.destroy()
  }

  close(): void {
    this.cut()
    this.server.close()
  }

  private accept(socket: Socket): void {
    const connection: OriginConnection = { bytes: Buffer.alloc(0), requests: [], error: undefined }
    let unread: Buffer = Buffer.alloc(0)
    this.connections.push(connection)
    this.sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.sockets.delete(socket)
      if (connection.bytes.byteLength === 0) this.connections = this.connections.filter((one) => one !== connection)
    })
    socket.on('data', (bytes: Buffer) => {
      connection.bytes = Buffer.concat([connection.bytes, bytes])
      unread = this.serve(connection, socket, Buffer.concat([unread, bytes]))
    })
  }

  /** Answers what is whole; returns the rest. */
  private serve(connection: OriginConnection, socket: Socket, bytes: Buffer): Buffer {
    let rest = bytes
    while (rest.byteLength > 0 && connection.error === undefined) {
      const message = readRequest(rest)
      if (message === 'more') break
      if ('error' in message) {
        connection.error = message.error
        socket.destroy()
        break
      }
      const request: OriginRequest = { ...message, order: this.order++, raw: Buffer.from(rest.subarray(0, message.bytes)) }
      connection.requests.push(request)
      rest = rest.subarray(message.bytes)
      if (request.startLine === 'GET /v1/models HTTP/1.1') socket.write(plain(MODELS))
      else this.script(request, socket)
    }
    return rest
  }
}
