import { connect, type AddressInfo, type Socket } from 'node:net'
import { expect } from 'vitest'
import { FakeClock } from '../base/fake-clock.js'
import { isLbError } from '../errors/index.js'
import type { DoorLimits } from './door-context.js'
import { Door, type Certificate, type DoorPolicy } from './door.js'
import type { Exchange } from './exchange.js'
import { SocketCount } from './socket-count.js'

/** A client on a raw socket: keeps what it was told, and how the connection ended. */
export class RawClient {
  text = ''
  /** The peer has sent its FIN. */
  ended = false
  closed = false
  error: string | undefined
  private changed = Promise.withResolvers<void>()

  constructor(readonly socket: Socket) {
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => this.note(() => (this.text += text)))
    socket.on('end', () => this.note(() => (this.ended = true)))
    socket.on('error', (error: NodeJS.ErrnoException) => this.note(() => (this.error = error.code)))
    socket.on('close', () => this.note(() => (this.closed = true)))
  }

  send(text: string): void {
    this.socket.write(text, 'latin1')
  }

  /** Waits for the text to match; fails the test when the connection ends before. */
  async until(wanted: RegExp): Promise<void> {
    await this.wait(() => wanted.test(this.text) || this.closed)
    expect(this.text).toMatch(wanted)
  }

  /** Waits for the end of the connection. */
  async end(): Promise<void> {
    await this.wait(() => this.closed)
  }

  async wait(test: () => boolean): Promise<void> {
    while (!test()) await this.changed.promise
  }

  /** What was said, without the date lines. */
  get said(): string {
    return this.text.replaceAll(/date: [^\r]*\r\n/g, '')
  }

  private note(change: () => void): void {
    change()
    const { resolve } = this.changed
    this.changed = Promise.withResolvers<void>()
    resolve()
  }
}

/** A listen door on a clock that moves only when told to, and clients of it. */
export class DoorHouse {
  readonly clock = new FakeClock()
  readonly exchanges: Exchange[] = []
  readonly door: Door
  readonly sockets = new SocketCount()
  serve: (exchange: Exchange) => unknown = (exchange) => answer(exchange, exchange.head.path)
  port = 0
  private readonly clients: RawClient[] = []

  constructor(policy: Partial<DoorPolicy> = {}, limits: Partial<DoorLimits> = {}) {
    this.door = new Door({
      clock: this.clock,
      policy: { maxConnections: 100, connectionsPerAddress: 100, trustedProxies: [], ...policy },
      limits,
      sockets: this.sockets,
      refusalBody: ({ code, message }) => JSON.stringify({ error: { code, message } }),
      onExchange: (exchange) => {
        this.exchanges.push(exchange)
        this.serve(exchange)
      },
    })
  }

  async open(host = '127.0.0.1', certificate?: Certificate): Promise<this> {
    const server = await this.door.listen({ host, port: 0 }, certificate)
    this.port = (server.address() as AddressInfo).port
    return this
  }

  async client(host = '127.0.0.1'): Promise<RawClient> {
    const { promise, resolve, reject } = Promise.withResolvers<RawClient>()
    const socket = connect({ host, port: this.port, allowHalfOpen: true, noDelay: true })
    const client = new RawClient(socket)
    this.clients.push(client)
    socket.once('connect', () => resolve(client))
    socket.once('error', reject)
    return promise
  }

  /** A client that has sent this much. */
  async sends(text: string): Promise<RawClient> {
    const client = await this.client()
    client.send(text)
    return client
  }

  /** Ends everything; nothing may be left: no connection, no timer, no ticking. */
  async close(): Promise<void> {
    this.door.stopAccepting()
    this.door.cutAll()
    for (const { socket } of this.clients) socket.destroy()
    await expect.poll(() => this.door.size, { interval: 5 }).toBe(0)
    expect(this.sockets.clients).toBe(0)
    this.clock.advance(200)
    expect(this.clock.pending).toBe(0)
  }
}

/** A whole answer with its length. */
export function answer(exchange: Exchange, text: string, status = 200, headers: Record<string, string> = {}): void {
  const bytes = Buffer.from(text)
  exchange.respond({ status, headers: { ...headers, 'content-length': String(bytes.byteLength) } })
  exchange.end(bytes)
}

/** Reads the body and answers with it, or with the code of what was wrong. */
export async function echo(exchange: Exchange, limitBytes = 1_000_000): Promise<void> {
  try {
    answer(exchange, Buffer.from(await exchange.readBody(limitBytes)).toString('utf8'))
  } catch (error) {
    if (!isLbError(error)) throw error
    answer(exchange, error.code, error.httpStatus)
  }
}

export const request = (path: string, more = '', body = ''): string => `POST ${path} HTTP/1.1\r\nhost: a\r\n${more}\r\n${body}`
export const sized = (path: string, body: string, more = ''): string =>
  request(path, `content-length: ${Buffer.byteLength(body, 'latin1')}\r\n${more}`, body)
/** What `answer` says, but for the date. */
export const reply = (text: string, more = ''): string => `HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\n${more}\r\n${text}`
