import type { IncomingMessage, ServerResponse } from 'node:http'
import { BodyCollector, type BodyWatch } from './body-collector.js'
import { breakOff } from './break-off.js'
import { bodyConsumed, clientGone } from './body-errors.js'
import type { AnswerHead, Exchange, ExchangeHead } from './exchange.js'
import { addHeader, frameRequest, headOf, type HeadRefusal } from './request-head.js'

/** An exchange whose head the framework has read by its own rules. */
export interface ForeignExchange extends Exchange {
  /** Why the head breaks the rules that hold at every door; whoever serves it answers that and nothing else. */
  readonly refusal: HeadRefusal | undefined
}

/** The `handler` door: anyone's node:http, Express or Fastify server. */
export function nodeExchange(request: IncomingMessage, response: ServerResponse): ForeignExchange {
  return new NodeExchange(request, response)
}

/** Bodies that a framework has read before us, where it put them. */
type MaybeParsed = IncomingMessage & { readonly rawBody?: unknown; readonly body?: unknown }

class NodeExchange implements ForeignExchange {
  readonly head: ExchangeHead
  readonly refusal: HeadRefusal | undefined
  readonly peer: { readonly address: string }
  private gone = false
  private onGoneCallback: (() => void) | undefined
  private onDrainCallback: (() => void) | undefined

  constructor(
    private readonly request: MaybeParsed,
    private readonly response: ServerResponse,
  ) {
    const { head, refusal } = readNodeHead(request)
    this.head = head
    this.refusal = refusal
    this.peer = { address: request.socket.remoteAddress ?? 'unknown' }
    response.on('error', () => undefined)
    response.on('drain', () => this.onDrainCallback?.())
    response.on('close', () => {
      if (!response.writableFinished) this.clientLeft()
    })
  }

  get committed(): boolean {
    return this.response.headersSent
  }

  readBody(limitBytes: number, watch?: BodyWatch): Buffer | Promise<Buffer> {
    const kept = keptBody(this.request)
    const declared = kept?.byteLength ?? declaredBytes(this.request)
    const collector = new BodyCollector(limitBytes, declared, watch)
    if (kept !== undefined) {
      collector.onBody(kept)
      return collector.whole()
    }
    if (this.request.readableEnded) throw this.request.body === undefined && hasNoBody(this.request) ? clientGone() : bodyConsumed()
    return collect(this.request, collector, (callback) => this.onGone(callback))
  }

  respond({ status, headers, shared }: AnswerHead): void {
    if (this.gone || this.response.headersSent) return
    // A body that was never read to its end would be taken for the next request of this connection.
    const unread = !this.request.complete && status >= 400
    this.response.writeHead(status, { ...shared, ...headers, ...(unread ? { connection: 'close' } : {}) })
  }

  /** A copy: Node.js keeps the bytes when the client reads slowly, and they are the caller's again when this returns. */
  write(bytes: Uint8Array): boolean {
    return this.gone || this.response.write(Buffer.from(bytes))
  }

  readonly takesFrames = false

  writeFrames(): boolean {
    throw new Error('this door takes no frames')
  }

  onDrain(callback: () => void): void {
    this.onDrainCallback = callback
  }

  end(bytes?: Uint8Array): void {
    if (this.gone) return
    if (bytes === undefined || bytes.byteLength === 0) this.response.end()
    else this.response.end(Buffer.from(bytes))
  }

  abort(): void {
    if (this.request.httpVersion === '1.0') breakOff(this.request.socket)
    else this.response.destroy()
  }

  onGone(callback: () => void): void {
    if (this.gone) callback()
    else this.onGoneCallback = callback
  }

  private clientLeft(): void {
    this.gone = true
    this.onGoneCallback?.()
  }
}

const wrongVersion: HeadRefusal = { status: 505, code: 'LB_BAD_REQUEST', message: 'lb speaks HTTP/1.1 (and 1.0)' }

/** From the raw header lines: Node.js drops some repeated ones in silence. */
function readNodeHead(request: IncomingMessage): { readonly head: ExchangeHead; readonly refusal: HeadRefusal | undefined } {
  const headers: Record<string, string> = {}
  let refusal: HeadRefusal | undefined
  for (let index = 0; index + 1 < request.rawHeaders.length; index += 2) {
    const name = (request.rawHeaders[index] ?? '').toLowerCase()
    if (!name.startsWith(':')) refusal = addHeader(headers, name, request.rawHeaders[index + 1] ?? '') ?? refusal
  }
  const head = headOf(request.method ?? 'GET', request.url ?? '/', headers)
  // Somebody's HTTP/2 server frames requests by itself.
  if (refusal !== undefined || 'stream' in request) return { head, refusal }
  if (request.httpVersion !== '1.1' && request.httpVersion !== '1.0') return { head, refusal: wrongVersion }
  const framed = frameRequest(head, request.httpVersionMinor === 1)
  return { head, refusal: 'status' in framed ? framed : undefined }
}

function keptBody(request: MaybeParsed): Buffer | undefined {
  for (const kept of [request.rawBody, request.body]) {
    if (kept instanceof Uint8Array) return Buffer.from(kept.buffer, kept.byteOffset, kept.byteLength)
    if (typeof kept === 'string') return Buffer.from(kept)
  }
  return undefined
}

function hasNoBody(request: IncomingMessage): boolean {
  return request.headers['content-length'] === undefined && request.headers['transfer-encoding'] === undefined
}

function declaredBytes(request: IncomingMessage): number | undefined {
  const length = request.headers['content-length']
  return length === undefined ? undefined : Number(length)
}

function collect(request: IncomingMessage, collector: BodyCollector, onGone: (callback: () => void) => void): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const take = (part: Buffer): void => {
      try {
        collector.onBody(part)
      } catch (error) {
        // The rest is not worth reading; the answer closes the connection.
        request.pause()
        request.off('data', take)
        reject(error)
      }
    }
    request.on('data', take)
    request.on('end', () => resolve(collector.whole()))
    request.on('error', () => reject(clientGone()))
    onGone(() => reject(clientGone()))
  })
}
