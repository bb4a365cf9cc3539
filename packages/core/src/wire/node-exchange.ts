import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HeaderView } from '../contracts/index.js'
import { bodyConsumed, bodyTooLarge, clientGone } from './body-errors.js'
import type { Exchange, ExchangeHead } from './exchange.js'

/** The `handler` door: anyone's node:http, Express or Fastify server. */
export function nodeExchange(request: IncomingMessage, response: ServerResponse): Exchange {
  return new NodeExchange(request, response)
}

/** Bodies that a framework has read before us, where it put them. */
type MaybeParsed = IncomingMessage & { readonly rawBody?: unknown; readonly body?: unknown }

class NodeExchange implements Exchange {
  readonly head: ExchangeHead
  readonly peer: { readonly address: string }
  private gone = false
  private readonly onGoneCallbacks: (() => void)[] = []

  constructor(
    private readonly request: MaybeParsed,
    private readonly response: ServerResponse,
  ) {
    this.head = headOf(request)
    this.peer = { address: request.socket.remoteAddress ?? 'unknown' }
    response.on('error', () => undefined)
    response.on('close', () => {
      if (!response.writableFinished) this.clientLeft()
    })
  }

  get committed(): boolean {
    return this.response.headersSent
  }

  readBody(limitBytes: number): Promise<Uint8Array> {
    const kept = keptBody(this.request)
    if (kept !== undefined) return kept.byteLength > limitBytes ? Promise.reject(bodyTooLarge(limitBytes)) : Promise.resolve(kept)
    if (this.request.readableEnded)
      return Promise.reject(this.request.body === undefined && hasNoBody(this.request) ? clientGone() : bodyConsumed())
    if (Number(this.request.headers['content-length'] ?? 0) > limitBytes) return Promise.reject(bodyTooLarge(limitBytes))
    return collect(this.request, limitBytes, (callback) => this.onGone(callback))
  }

  respond({ status, headers }: { readonly status: number; readonly headers: HeaderView }): void {
    if (this.gone || this.response.headersSent) return
    // A body that was never read to its end would be taken for the next request of this connection.
    const unread = !this.request.complete && status >= 400
    this.response.writeHead(status, unread ? { ...headers, connection: 'close' } : headers)
  }

  write(bytes: Uint8Array): boolean {
    return this.gone || this.response.write(bytes)
  }

  onDrain(callback: () => void): void {
    this.response.on('drain', callback)
  }

  end(): void {
    if (!this.gone) this.response.end()
  }

  abort(): void {
    this.response.destroy()
  }

  onGone(callback: () => void): void {
    if (this.gone) callback()
    else this.onGoneCallbacks.push(callback)
  }

  private clientLeft(): void {
    this.gone = true
    for (const callback of this.onGoneCallbacks.splice(0)) callback()
  }
}

function headOf(request: IncomingMessage & { readonly originalUrl?: unknown }): ExchangeHead {
  const url = request.url ?? '/'
  const mark = url.indexOf('?')
  return {
    method: request.method ?? 'GET',
    path: mark === -1 ? url : url.slice(0, mark),
    query: mark === -1 ? '' : url.slice(mark + 1),
    headers: joinedHeaders(request),
  }
}

function joinedHeaders(request: IncomingMessage): HeaderView {
  const joined: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.headers))
    if (value !== undefined) joined[name] = Array.isArray(value) ? value.join(', ') : value
  return joined
}

function keptBody(request: MaybeParsed): Uint8Array | undefined {
  for (const kept of [request.rawBody, request.body]) {
    if (kept instanceof Uint8Array) return kept
    if (typeof kept === 'string') return Buffer.from(kept)
  }
  return undefined
}

function hasNoBody(request: IncomingMessage): boolean {
  return request.headers['content-length'] === undefined && request.headers['transfer-encoding'] === undefined
}

function collect(request: IncomingMessage, limitBytes: number, onGone: (callback: () => void) => void): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = []
    let bytes = 0
    request.on('data', (part: Buffer) => {
      bytes += part.byteLength
      if (bytes <= limitBytes) {
        parts.push(part)
        return
      }
      // The rest is not worth reading; the answer closes the connection.
      request.pause()
      parts.length = 0
      reject(bodyTooLarge(limitBytes))
    })
    request.on('end', () => resolve(parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts, bytes)))
    request.on('error', () => reject(clientGone()))
    onGone(() => reject(clientGone()))
  })
}
