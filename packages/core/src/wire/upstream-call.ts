import type { Clock, TimerHandle } from '../base/index.js'
import { messageOf } from '../errors/index.js'
import { ResponseParser } from './response-parser.js'
import type { SocketPool } from './socket-pool.js'
import type { CallOrder, UpstreamCall, UpstreamEvents } from './upstream-engine.js'
import { UpstreamError } from './upstream-error.js'
import { UpstreamSocket } from './upstream-socket.js'

export interface CallContext {
  readonly order: CallOrder
  readonly head: string
  readonly events: UpstreamEvents
  readonly clock: Clock
  readonly pool: SocketPool
  readonly onOver: (call: UpstreamCallInFlight) => void
}

/** One request on its way: takes a connection, sends, parses, gives the connection back. */
export class UpstreamCallInFlight implements UpstreamCall {
  private socket: UpstreamSocket | undefined
  private parser: ResponseParser
  private reused = false
  private over = false
  private paused = false
  private timer: TimerHandle | undefined
  private lastByteMs = 0

  constructor(private readonly context: CallContext) {
    this.parser = new ResponseParser(this.parserEvents())
  }

  begin(): void {
    const pooled = this.context.pool.take(this.context.order.key)
    if (pooled === undefined) return this.connect()
    this.reused = true
    this.socket = pooled
    pooled.hold(this.socketEvents())
    this.send()
  }

  /** Without effect once the call is over: its socket may serve another one by then. */
  pause(): void {
    if (this.over) return
    this.paused = true
    this.socket?.pause()
  }

  resume(): void {
    if (this.over) return
    this.paused = false
    this.lastByteMs = this.context.clock.nowMs()
    this.socket?.resume()
  }

  abort(): void {
    if (!this.finish()) return
    this.socket?.drop()
  }

  private connect(): void {
    const { order } = this.context
    this.reused = false
    this.parser = new ResponseParser(this.parserEvents())
    this.arm(order.timeouts.connectMs, `no connection within ${order.timeouts.connectMs} ms`, 'connect')
    this.socket = new UpstreamSocket(order.target, this.socketEvents())
  }

  private send(): void {
    const { order, head } = this.context
    this.arm(order.timeouts.firstByteMs, `no answer within ${order.timeouts.firstByteMs} ms`, 'timeout')
    this.socket?.send(head, order.request.body)
  }

  private socketEvents() {
    return {
      onConnect: () => this.send(),
      onBytes: (bytes: Buffer) => this.read(bytes),
      onClose: (error: NodeJS.ErrnoException | undefined) => this.closed(error),
    }
  }

  private parserEvents() {
    const { events, order } = this.context
    return {
      onHead: (head: Parameters<UpstreamEvents['onHead']>[0]) => {
        this.watchSilence(order.timeouts.idleMs)
        events.onHead(head)
      },
      onBody: (bytes: Buffer) => {
        if (!this.over) events.onBody(bytes)
      },
      onEnd: () => undefined,
    }
  }

  private read(bytes: Buffer): void {
    this.lastByteMs = this.context.clock.nowMs()
    try {
      this.parser.push(bytes)
    } catch (error) {
      return this.fail(error instanceof UpstreamError ? error : new UpstreamError('framing', messageOf(error)))
    }
    if (this.parser.done) this.complete()
  }

  private complete(): void {
    if (!this.finish()) return
    const { socket } = this
    if (socket !== undefined && this.parser.reusable && !this.paused) this.context.pool.give(this.context.order.key, socket)
    else socket?.drop()
    this.context.events.onEnd()
  }

  private closed(error: NodeJS.ErrnoException | undefined): void {
    if (this.over) return
    if (this.socket?.connected === false)
      return this.fail(new UpstreamError('connect', `no connection: ${error?.code ?? messageOf(error ?? 'closed')}`))
    // An idle connection that the engine closed just as we used it: nothing was answered, so asking again is safe, once.
    if (this.reused && !this.parser.started) return this.connect()
    if (error === undefined && this.parser.closed()) return this.complete()
    this.fail(
      error === undefined
        ? new UpstreamError('closed', 'the engine closed the connection in mid-answer')
        : new UpstreamError('reset', `the connection broke: ${error.code ?? error.message}`),
    )
  }

  private fail(error: UpstreamError): void {
    if (!this.finish()) return
    this.socket?.drop()
    this.context.events.onError(error)
  }

  /** True the first time: a call ends once. */
  private finish(): boolean {
    if (this.over) return false
    this.over = true
    this.timer?.cancel()
    this.context.onOver(this)
    return true
  }

  private arm(afterMs: number, message: string, kind: 'connect' | 'timeout'): void {
    this.timer?.cancel()
    this.timer = this.context.clock.after(afterMs, () => this.fail(new UpstreamError(kind, message)))
  }

  /** One timer that looks when it is due, instead of one set anew for each chunk. */
  private watchSilence(idleMs: number): void {
    this.timer?.cancel()
    const silentMs = this.context.clock.nowMs() - this.lastByteMs
    this.timer = this.context.clock.after(Math.max(1, idleMs - silentMs), () => {
      const quietMs = this.context.clock.nowMs() - this.lastByteMs
      if (this.paused || quietMs < idleMs) return this.watchSilence(idleMs)
      this.fail(new UpstreamError('timeout', `silent for ${idleMs} ms in mid-answer`))
    })
  }
}
