import { MemberList, type Clock } from '../base/index.js'
import type { HeaderView, UpstreamTarget } from '../contracts/index.js'
import { isHeaderName, isHeaderValue } from './header-rules.js'
import type { ResponseEvents } from './response-parser.js'
import { SocketCount } from './socket-count.js'
import { SocketPool } from './socket-pool.js'
import { TimerWheel } from './timer-wheel.js'
import { UpstreamCallInFlight, type CallHouse } from './upstream-call.js'
import type { UpstreamError } from './upstream-error.js'

export interface UpstreamRequest {
  readonly method: 'GET' | 'POST'
  /** With the base path, without a fragment. */
  readonly path: string
  /** Lower-case names; Host, Content-Length and Connection are added here. */
  readonly headers?: HeaderView
  /** Further headers, in an object that many requests share: their text is made once. */
  readonly shared?: HeaderView
  /** Further header lines, checked already. */
  readonly lines?: string
  /** In parts, so that an edited body needs no copy; they must not change until the answer has begun. */
  readonly body?: readonly Buffer[]
}

export interface UpstreamEvents extends ResponseEvents {
  /** All bytes of one read were handed over, and the message goes on. */
  onReadEnd(): void
  /** Instead of onEnd, exactly one of them. */
  onError(error: UpstreamError): void
}

export interface UpstreamTimeouts {
  readonly connectMs: number
  /** From the request being sent to the head of the answer. */
  readonly firstTokenMs: number
  /** Longest silence inside a body. */
  readonly idleMs: number
}

export interface UpstreamCall {
  /** True once every byte of the request has left this process. */
  readonly isSent: boolean
  pause(): void
  resume(): void
  /** Destroys the connection: the engine sees its client leave. No event follows. */
  abort(): void
}

/** What one call needs; grouped because it travels through two layers. */
export interface CallOrder {
  /** Connections are shared within a key: a node's id and incarnation. */
  readonly key: string
  readonly target: UpstreamTarget
  readonly request: UpstreamRequest
  readonly timeouts: UpstreamTimeouts
}

/** uvicorn and llama-server close idle connections after 5 s (engines/llamacpp.md section 3); reuse must end before. */
const IDLE_SOCKET_MS = 4_000

export interface UpstreamEngineOptions {
  readonly clock: Clock
  /** Shared with other rooms of the thread; default: one of its own. */
  readonly wheel?: TimerWheel
  /** Shared with other threads; default: one of its own. */
  readonly sockets?: SocketCount
  readonly idleSocketMs?: number
}

/** The one way to engines: sockets of our own, strict framing, no streams. */
export class UpstreamEngine {
  private readonly pool: SocketPool
  private readonly calls = new MemberList<UpstreamCallInFlight>()
  private readonly house: CallHouse

  constructor({ clock, wheel = new TimerWheel(clock), sockets = new SocketCount(), idleSocketMs = IDLE_SOCKET_MS }: UpstreamEngineOptions) {
    this.pool = new SocketPool(wheel, idleSocketMs)
    this.house = { clock, wheel, pool: this.pool, sockets, onOver: (over) => this.calls.remove(over) }
  }

  dispatch(order: CallOrder, events: UpstreamEvents): UpstreamCall {
    const call = new UpstreamCallInFlight(order, buildHead(order), events, this.house)
    this.calls.add(call)
    call.begin()
    return call
  }

  /** Drops the idle connections of a node that is gone. */
  forget(key: string): void {
    this.pool.drop(key)
  }

  /** Breaks off every call to a node that hangs: each gets an error of the kind `abandoned`. */
  abandon(key: string, reason: string): void {
    this.pool.drop(key)
    for (const call of this.calls.all()) if (call.key === key) call.abandon(reason)
  }

  close(): void {
    this.pool.drop()
    for (const call of this.calls.all()) call.abort()
  }

  /** Connections in use and idle. */
  get openSockets(): number {
    return this.calls.size + this.pool.size
  }
}

const PATH = /^\/[\x21-\x7e]*$/

/** The request head as it goes on the wire. What could break a line is left out, so that nothing can be injected. */
function buildHead({ target, request }: CallOrder): string {
  const { headers, shared, lines, body } = request
  let head = shared === undefined ? startOf(target, request) : sharedStart(target, request, shared)
  if (headers !== undefined) head += linesOf(headers)
  if (lines !== undefined) head += lines
  if (body !== undefined) head += `content-length: ${byteLength(body)}\r\n`
  return `${head}\r\n`
}

function startOf({ authority }: UpstreamTarget, { method, path }: UpstreamRequest): string {
  return `${method} ${PATH.test(path) ? path : '/'} HTTP/1.1\r\nhost: ${authority}\r\nconnection: keep-alive\r\n`
}

interface Start {
  readonly method: string
  readonly path: string
  readonly authority: string
  readonly text: string
}

const starts = new WeakMap<HeaderView, Start>()

/** With the headers that many requests share; joined, for what was added up is kept as its parts and read slowly. */
function sharedStart(target: UpstreamTarget, request: UpstreamRequest, shared: HeaderView): string {
  const { method, path } = request
  const { authority } = target
  const known = starts.get(shared)
  if (known !== undefined && known.path === path && known.authority === authority && known.method === method) return known.text
  const text = [startOf(target, request), linesOf(shared)].join('')
  starts.set(shared, { method, path, authority, text })
  return text
}

function linesOf(headers: HeaderView): string {
  let lines = ''
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined && isHeaderName(name) && isHeaderValue(value)) lines += `${name}: ${value}\r\n`
  }
  return lines
}

function byteLength(parts: readonly Buffer[]): number {
  let sum = 0
  for (const part of parts) sum += part.byteLength
  return sum
}
