import type { Clock, Listed } from '../base/index.js'
import type { UpstreamTarget } from '../contracts/index.js'
import { isOwnLack, messageOf } from '../errors/index.js'
import type { ResponseHead } from './response-head.js'
import { ResponseParser, type FrameVerdict, type ResponseEvents } from './response-parser.js'
import type { SocketCount } from './socket-count.js'
import type { SocketPool } from './socket-pool.js'
import type { Due, TimerWheel, WheelTimer } from './timer-wheel.js'
import type { CallOrder, UpstreamCall, UpstreamEvents, UpstreamTimeouts } from './upstream-engine.js'
import { UpstreamError } from './upstream-error.js'
import { UpstreamSocket, type SocketHolder } from './upstream-socket.js'

/** What all calls of an engine share. */
export interface CallHouse {
  readonly clock: Clock
  readonly wheel: TimerWheel
  readonly pool: SocketPool
  readonly sockets: SocketCount
  readonly onOver: (call: UpstreamCallInFlight) => void
}

/** What a call has so long for: its connection, the head of the answer, the next byte of its body. */
type Awaited = 'connection' | 'head' | 'more'

const NO_BODY: readonly Buffer[] = []

/** One request on its way: takes a connection, sends, parses, gives the connection back. */
export class UpstreamCallInFlight implements UpstreamCall, SocketHolder, ResponseEvents, Listed, Due {
  place = 0
  private socket: UpstreamSocket | undefined
  private parser = new ResponseParser(this)
  /** Connections are shared within it. */
  readonly key: string
  private readonly target: UpstreamTarget
  private readonly timeouts: UpstreamTimeouts
  private reused = false
  /** The connection that it had first broke when the request was on it. */
  private hadConnection = false
  private over = false
  private paused = false
  private reading = false
  /** One for all that it waits for, one after the other. */
  private timer: WheelTimer | undefined
  private awaited: Awaited = 'connection'
  private lastByteMs = 0
  /** What is still needed to send the request again; undefined once an answer has begun: a long answer must not hold it in memory. */
  private unsent: { readonly head: string; readonly body: readonly Buffer[] } | undefined

  constructor(
    { key, target, timeouts, request }: CallOrder,
    head: string,
    private readonly events: UpstreamEvents,
    private readonly house: CallHouse,
  ) {
    this.key = key
    this.target = target
    this.timeouts = timeouts
    this.unsent = { head, body: request.body ?? NO_BODY }
  }

  abandon(reason: string): void {
    this.fail(new UpstreamError('abandoned', reason))
  }

  get isSent(): boolean {
    return this.socket?.connected === true && this.socket.isIdle
  }

  begin(): void {
    const pooled = this.house.pool.take(this.key)
    if (pooled === undefined) return this.connect()
    this.reused = true
    this.socket = pooled
    pooled.hold(this)
    this.onConnect()
  }

  /** Without effect once the call is over: its socket may serve another one by then. */
  pause(): void {
    if (this.over || this.paused) return
    this.paused = true
    this.socket?.pause()
  }

  resume(): void {
    if (this.over || !this.paused) return
    this.paused = false
    this.lastByteMs = this.house.clock.nowMs()
    this.socket?.resume()
  }

  abort(): void {
    if (!this.finish()) return
    this.socket?.drop()
  }

  onConnect(): void {
    this.waitFor('head', this.timeouts.firstTokenMs)
    if (this.unsent !== undefined) this.socket?.send(this.unsent.head, this.unsent.body)
  }

  onBytes(bytes: Buffer): void {
    this.lastByteMs = this.house.clock.nowMs()
    this.reading = true
    try {
      this.parser.push(bytes)
    } catch (error) {
      return this.fail(error instanceof UpstreamError ? error : new UpstreamError('framing', messageOf(error)))
    } finally {
      this.reading = false
    }
    if (this.over) return
    if (this.parser.done) this.complete()
    else this.events.onReadEnd()
  }

  onClose(error: NodeJS.ErrnoException | undefined): void {
    if (this.over) return
    if (this.socket?.connected === false) return this.unconnected(error)
    // An idle connection that the engine closed just as we used it: nothing was answered, so asking again is safe, once.
    if (this.reused && !this.parser.started) {
      this.hadConnection = true
      return this.connect()
    }
    if (error === undefined && this.parser.closed()) return this.complete()
    this.fail(
      error === undefined
        ? new UpstreamError('closed', 'the engine closed the connection in mid-answer')
        : new UpstreamError('reset', `the connection broke: ${error.code ?? error.message}`),
    )
  }

  onHead(head: ResponseHead): void {
    this.unsent = undefined
    this.waitFor('more', this.timeouts.idleMs)
    if (!this.over) this.events.onHead(head)
  }

  onBody(bytes: Buffer): void {
    if (!this.over) this.events.onBody(bytes)
  }

  get takesFrames(): boolean {
    return !this.over && this.events.takesFrames
  }

  onFrame(bytes: Buffer, start: number, end: number): FrameVerdict {
    return this.events.onFrame(bytes, start, end)
  }

  onFrames(frames: Buffer, last: boolean): void {
    if (!this.over) this.events.onFrames(frames, last)
  }

  /** The call completes when the whole read was looked at: bytes behind the end would make it a framing error. */
  onEnd(): void {
    if (!this.reading) this.complete()
  }

  private connect(): void {
    this.reused = false
    this.parser = new ResponseParser(this)
    this.waitFor('connection', this.timeouts.connectMs)
    this.socket = new UpstreamSocket(this.target, this, this.house.sockets)
  }

  /** Nobody is there. Was the request on its way before that, it may be why. */
  private unconnected(error: NodeJS.ErrnoException | undefined): void {
    const why = error?.code ?? messageOf(error ?? 'closed')
    if (this.hadConnection) this.fail(new UpstreamError('reset', `the connection broke, and there is no other: ${why}`))
    else if (isOwnLack(error)) this.fail(new UpstreamError('unsent', `lb has no file descriptor left for a connection: ${why}`))
    else this.fail(new UpstreamError('connect', `no connection: ${why}`))
  }

  private complete(): void {
    if (!this.finish()) return
    const { socket } = this
    // An engine may answer before it has read everything; what is left of the request must not run into the next one.
    if (socket !== undefined && this.parser.reusable && !this.paused && socket.isIdle) this.house.pool.give(this.key, socket)
    else socket?.drop()
    this.events.onEnd()
  }

  private fail(error: UpstreamError): void {
    if (!this.finish()) return
    this.socket?.drop()
    this.events.onError(error)
  }

  /** True the first time: a call ends once. */
  private finish(): boolean {
    if (this.over) return false
    this.over = true
    this.unsent = undefined
    this.timer?.cancel()
    this.house.onOver(this)
    return true
  }

  private waitFor(awaited: Awaited, forMs: number): void {
    this.awaited = awaited
    if (this.timer === undefined) this.timer = this.house.wheel.set(this, forMs)
    else this.house.wheel.again(this.timer, forMs)
  }

  onDue(): void {
    const { awaited, timeouts } = this
    if (awaited === 'connection') this.fail(new UpstreamError('connect', `no connection within ${timeouts.connectMs} ms`))
    else if (awaited === 'head') this.fail(new UpstreamError('timeout', `no answer within ${timeouts.firstTokenMs} ms`))
    else this.isSilent()
  }

  /** One timer that looks when it is due, instead of one set anew for each chunk. */
  private isSilent(): void {
    const { idleMs } = this.timeouts
    const quietMs = this.house.clock.nowMs() - this.lastByteMs
    if (this.paused) this.waitFor('more', idleMs)
    else if (quietMs < idleMs) this.waitFor('more', idleMs - quietMs)
    else this.fail(new UpstreamError('timeout', `silent for ${idleMs} ms in mid-answer`))
  }
}
