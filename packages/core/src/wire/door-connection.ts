import type { Socket } from 'node:net'
import type { Listed } from '../base/index.js'
import { LbError } from '../errors/index.js'
import { DoorBody } from './door-body.js'
import type { DoorContext } from './door-context.js'
import { DoorWriter } from './door-writer.js'
import { DoorExchange } from './door-exchange.js'
import { LATE_HEAD, refusalOf, TOO_LARGE_HEAD } from './door-refusals.js'
import { breakOff } from './break-off.js'
import { MAX_HEAD_BYTES } from './llhttp.js'
import { own, type SocketOwner } from './owned-socket.js'
import { readProxyPreface } from './proxy-preface.js'
import { isShared, readShared, type ByteReader } from './read-shared.js'
import { isRefusal, readRequestHead, type HeadRefusal } from './request-head.js'
import type { Due, WheelTimer } from './timer-wheel.js'

const HEAD_END = Buffer.from('\r\n\r\n')
const NO_BYTES = Buffer.alloc(0)
/** Bytes of further requests that are kept while one is served; then the client waits. */
const MAX_PIPELINED_BYTES = 65_536
/** What is read and thrown away so that a closing answer is not lost to a reset. */
const LINGER_MS = 2_000
const MAX_LINGER_BYTES = 1_048_576

/** What a connection has so long for. */
type Awaited = 'head' | 'body' | 'request' | 'close'

/** One client's connection: reads heads and bodies in order, one exchange at a time. */
export class DoorConnection implements ByteReader, Due, Listed, SocketOwner {
  /** Among those of its door. */
  place = -1
  /** False once the connection is to close after the answer under way. */
  staysOpen = true
  private address: string
  private waiting: Buffer = NO_BYTES
  private exchange: DoorExchange | undefined
  private body: DoorBody | undefined
  /** One for all that it waits for, one after the other: a timer for each would stay in memory while the answer lasts. */
  private readonly timer: WheelTimer
  private awaited: Awaited = 'head'
  /** Bytes of the body when its rate was last looked at. */
  private watchedBytes = 0
  private parsing = false
  private prefaceDone: boolean
  private lingering = false
  private lingeredBytes = 0
  private checkedBytes = 0
  private paused = false

  readonly writer: DoorWriter
  private readonly socket: Socket

  constructor(
    accepted: Socket,
    private readonly context: DoorContext,
    /** The peer's, where its connections are counted. */
    readonly countedAddress: string | undefined,
  ) {
    this.address = accepted.remoteAddress ?? 'unix'
    this.prefaceDone = !context.trusted.trusts(this.address)
    const socket = readShared(accepted, this)
    this.socket = socket
    this.writer = new DoorWriter(socket, context.limits.writeStallMs)
    own(socket, this)
    this.timer = context.wheel.set(this, context.limits.headMs)
  }

  closeAfterAnswer(): void {
    this.staysOpen = false
    if (this.exchange === undefined) this.linger()
  }

  destroy(): void {
    this.writer.flush()
    this.socket.destroy()
  }

  /** Ends it so that nobody takes what was sent for the whole, even where the end of the connection is the end of the answer. */
  breakOff(): void {
    this.writer.flush()
    breakOff(this.socket)
  }

  /** From the exchange: it wants the body now. */
  startBody(exchange: DoorExchange): void {
    const { request } = exchange
    if (exchange.bodyDone) return
    this.body = new DoorBody(exchange)
    if (this.waiting.byteLength > 0) this.feedWaiting(exchange)
    if (exchange.bodyDone) return
    if (request.expectsContinue && exchange.collectedBytes === 0) this.writer.write('HTTP/1.1 100 Continue\r\n\r\n')
    this.watchBody(exchange)
    this.resume()
  }

  /** From the exchange: its answer is out. */
  answered(): void {
    this.exchange = undefined
    this.body = undefined
    this.writer.onDrain = undefined
    this.timer.cancel()
    this.context.onAnswered(this)
    if (!this.staysOpen) return this.linger()
    if (this.waiting.byteLength > 0) {
      if (!this.parsing) this.parse()
    } else this.waitFor('request', this.context.limits.keepAliveMs)
    this.resume()
  }

  /** What is still wanted when this returns has been copied: the next read overwrites the bytes. */
  onBytes(bytes: Buffer): void {
    this.read(bytes)
    if (this.waiting.byteLength > 0 && isShared(this.waiting)) this.waiting = Buffer.from(this.waiting)
  }

  private read(bytes: Buffer): void {
    if (this.lingering) return this.discard(bytes)
    const { exchange } = this
    if (exchange !== undefined && exchange.wantsBody) return this.readBody(exchange, bytes)
    this.waiting = this.waiting.byteLength === 0 ? bytes : Buffer.concat([this.waiting, bytes])
    if (exchange === undefined) return this.parse()
    if (this.waiting.byteLength > MAX_PIPELINED_BYTES) this.pause()
  }

  /** Reads heads as long as there are any and nobody is being served. */
  private parse(): void {
    this.parsing = true
    while (this.exchange === undefined && this.waiting.byteLength > 0 && !this.lingering && !this.socket.destroyed)
      if (!this.parseHead()) break
    this.parsing = false
  }

  /** False: more bytes are needed. */
  private parseHead(): boolean {
    if (!this.prefaceDone && !this.readPreface()) return false
    let start = 0
    // An empty line before a request is left over from clients of old: RFC 9112 section 2.2.
    while (start < 4 && this.waiting[start] === 13 && this.waiting[start + 1] === 10) start += 2
    const found = this.waiting.indexOf(HEAD_END, start)
    const end = found === -1 ? this.waiting.byteLength : found + HEAD_END.byteLength
    if (end - start > MAX_HEAD_BYTES) return this.refuse(TOO_LARGE_HEAD)
    const bytes = this.waiting.subarray(start, end)
    if (found === -1) return this.awaitHead(bytes)
    const spans = this.context.parser.parse(bytes)
    if (typeof spans === 'string') return this.refuse(refusalOf(bytes, spans))
    const request = readRequestHead(bytes.toString('latin1'), spans)
    this.waiting = end === this.waiting.byteLength ? NO_BYTES : this.waiting.subarray(end)
    if (isRefusal(request)) return this.refuse(request)
    this.checkedBytes = 0
    this.timer.cancel()
    if (!request.keepAlive || this.context.closing()) this.staysOpen = false
    const address = this.context.trusted.clientAddress(this.address, request.head.headers)
    this.exchange = new DoorExchange(this, request, address)
    this.context.onExchange(this.exchange)
    return true
  }

  /** An unfinished head is looked at when it begins and when it has doubled: garbage is refused at once, and dripping bytes cost little. */
  private awaitHead(bytes: Buffer): false {
    if (this.checkedBytes === 0) this.waitFor('head', this.context.limits.headMs)
    if (bytes.byteLength < 2 * this.checkedBytes) return false
    this.checkedBytes = bytes.byteLength
    const spans = this.context.parser.parse(bytes)
    return typeof spans === 'string' ? this.refuse(refusalOf(bytes, spans)) : false
  }

  private readPreface(): boolean {
    const preface = readProxyPreface(this.waiting)
    if (preface.kind === 'more') return false
    if (preface.kind === 'bad') return this.refuse({ status: 400, code: 'LB_BAD_REQUEST', message: `a bad PROXY preface: ${preface.why}` })
    this.prefaceDone = true
    if (preface.kind === 'preface') {
      this.address = preface.source ?? this.address
      this.waiting = this.waiting.subarray(preface.length)
    }
    return this.waiting.byteLength > 0
  }

  private feedWaiting(exchange: DoorExchange): void {
    const bytes = this.waiting
    this.waiting = NO_BYTES
    this.feed(exchange, bytes)
  }

  private readBody(exchange: DoorExchange, bytes: Buffer): void {
    try {
      this.feed(exchange, bytes)
    } catch (error) {
      exchange.bodyFailed(error)
    }
  }

  /** Gives the body its bytes; what stands behind them belongs to the next request. Throws what is wrong. */
  private feed(exchange: DoorExchange, bytes: Buffer): void {
    const { body } = this
    if (body === undefined) return
    const used = body.feed(bytes)
    if (!body.done) return
    this.body = undefined
    if (used < bytes.byteLength) this.waiting = bytes.subarray(used)
    this.timer.cancel()
    exchange.bodyEnded()
  }

  /** A body that drips is cut: it would hold memory for hours. */
  private watchBody(exchange: DoorExchange): void {
    this.watchedBytes = exchange.collectedBytes
    this.waitFor('body', this.context.limits.bodyWindowMs)
  }

  private bodyIsLate(exchange: DoorExchange): void {
    const { bodyWindowMs, minBodyBytesPerSecond } = this.context.limits
    if (!exchange.wantsBody) return
    if (exchange.collectedBytes - this.watchedBytes >= (minBodyBytesPerSecond * bodyWindowMs) / 1000) return this.watchBody(exchange)
    const slow = `the request body comes slower than ${minBodyBytesPerSecond} bytes per second`
    exchange.bodyFailed(new LbError(slow, { code: 'LB_SLOW_BODY', source: 'client', httpStatus: 408 }))
  }

  /** Answers a request that cannot be one, and closes. */
  private refuse(refusal: HeadRefusal): false {
    this.staysOpen = false
    this.timer.cancel()
    if (this.socket.writable) this.writer.write(this.context.refusal(refusal))
    this.linger()
    return false
  }

  /** Ends our side; once all is sent, reads on for a moment: a reset would take the answer away from the client. */
  private linger(): void {
    if (this.lingering) return
    this.lingering = true
    this.waiting = NO_BYTES
    this.timer.cancel()
    this.writer.watchStall()
    this.writer.flush()
    this.socket.end(() => {
      if (!this.socket.destroyed) this.waitFor('close', LINGER_MS)
    })
    this.resume()
  }

  private discard(bytes: Buffer): void {
    this.lingeredBytes += bytes.byteLength
    if (this.lingeredBytes > MAX_LINGER_BYTES) this.socket.destroy()
  }

  onRoom(): void {
    this.writer.drained()
  }

  onStall(): void {
    this.destroy()
  }

  /** The close follows, and says all. */
  onFailure(): void {}

  /** The client has closed its side: it is gone, or wants no more. */
  onSaidAll(): void {
    this.writer.flush()
    if (this.exchange === undefined && this.socket.writableLength > 0) this.socket.end()
    else this.socket.destroy()
  }

  onClosed(): void {
    this.timer.cancel()
    this.waiting = NO_BYTES
    const { exchange } = this
    this.exchange = undefined
    exchange?.clientLeft()
    this.context.onClosed(this, this.socket)
  }

  private waitFor(awaited: Awaited, forMs: number): void {
    this.awaited = awaited
    this.context.wheel.again(this.timer, forMs)
  }

  /** What was waited for has not come in its time. */
  onDue(): void {
    const { awaited, exchange } = this
    if (awaited === 'head') this.refuse(LATE_HEAD)
    else if (awaited !== 'body') this.socket.destroy()
    else if (exchange !== undefined) this.bodyIsLate(exchange)
  }

  private pause(): void {
    this.paused = true
    this.socket.pause()
  }

  private resume(): void {
    if (!this.paused) return
    this.paused = false
    this.socket.resume()
  }
}
