import type { HeaderView } from '../contracts/index.js'
import { errorBody, errorEvent } from '../dialects/index.js'
import type { LbError } from '../errors/index.js'
import type { AnswerHead, Due, Exchange, TimerWheel, WheelTimer } from '../wire/index.js'

/** The first one comes between these two: each stream has a pace of its own, for those that were opened together, as after a restart, would beat together for good. */
const FIRST_HEARTBEAT_MS = 10_000
const LATE_FIRST_HEARTBEAT_MS = 15_000
/** The shortest pause between two of them, as a part of the longest. */
const SHORTEST_PAUSE = 2 / 3
/** Something that takes long is told of sooner. */
const TOLD_AFTER_MS = 1_000
/** A comment: clients skip it (HTML standard, 9.2.6), proxies between see life. */
const heartbeat = (says: string): Buffer => Buffer.from(`: ${says}\n\n`)
const HEARTBEAT = heartbeat('lb waits with you')

/**
 * The client's side of one request, over all attempts: sends one head, keeps a waiting event stream alive with comments, ends honestly. A comment
 * commits the client to a 200 without having told it anything: the request can still move to another node, but a failure is an event then.
 */
export class Delivery implements Due {
  /** False while something stands half said, and a comment would break it. */
  atBoundary = true
  private headSent = false
  private stream = false
  private quiet = true
  private timer: WheelTimer | undefined
  private company: string | undefined
  private pauseMs = 0

  constructor(
    private readonly exchange: Exchange,
    private readonly requestId: string,
    private readonly wheel: TimerWheel,
  ) {}

  /**
   * From here on the client is kept company: it has asked for an event stream. `heartbeatMs`: its longest silence; 0: silence is fine. `pace`: from 0 to 1, of
   * this stream alone.
   */
  startHeartbeats(heartbeatMs: number, pace: number): void {
    if (heartbeatMs === 0) return
    this.pauseMs = (SHORTEST_PAUSE + (1 - SHORTEST_PAUSE) * pace) * heartbeatMs
    const firstMs = FIRST_HEARTBEAT_MS + (LATE_FIRST_HEARTBEAT_MS - FIRST_HEARTBEAT_MS) * pace
    this.timer = this.wheel.set(this, Math.min(firstMs, heartbeatMs))
  }

  /** What the client is told that it waits for, and soon; undefined: nothing in particular. One line. */
  get waitsFor(): string | undefined {
    return this.company
  }

  set waitsFor(says: string | undefined) {
    if (says === this.company) return
    this.company = says
    if (says === undefined || this.timer === undefined) return
    this.wheel.again(this.timer, Math.min(TOLD_AFTER_MS, this.pauseMs))
  }

  /** Something was sent already. */
  get started(): boolean {
    return this.headSent
  }

  get takesFrames(): boolean {
    return this.headSent && this.exchange.takesFrames
  }

  /** Sends the head, where no comment has sent one. */
  commit(head: AnswerHead, stream: boolean): void {
    if (this.headSent) return
    this.headSent = true
    this.stream = stream
    this.exchange.respond(head)
  }

  /** False: wait for the exchange's drain. */
  write(bytes: Uint8Array): boolean {
    this.quiet = false
    return this.exchange.write(bytes)
  }

  writeFrames(frames: Uint8Array, last: boolean): boolean {
    this.quiet = false
    return this.exchange.writeFrames(frames, last)
  }

  end(bytes?: Uint8Array): void {
    this.close()
    this.exchange.end(bytes)
  }

  /** Nothing more will be said. */
  close(): void {
    this.timer?.cancel()
    this.timer = undefined
  }

  /** Tells the client that it failed, in whatever form is still possible: an answer, the stream's error event (no `[DONE]` follows), a broken body. */
  fail(error: LbError, headers: HeaderView): void {
    const { exchange, requestId } = this
    this.close()
    if (this.headSent) {
      // An event that was cut in its middle is ended first, or the client would read both as one.
      if (this.stream) exchange.end(Buffer.from(`${this.atBoundary ? '' : '\n\n'}${errorEvent(error, requestId)}`))
      else exchange.abort()
      return
    }
    const body = Buffer.from(errorBody(error, requestId))
    this.headSent = true
    exchange.respond({
      status: error.httpStatus || 500,
      headers: {
        'content-type': 'application/json',
        'content-length': String(body.byteLength),
        'x-request-id': requestId,
        ...(error.retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(error.retryAfterMs / 1000)) }),
        ...headers,
      },
    })
    exchange.end(body)
  }

  /** A heartbeat. */
  onDue(): void {
    if (this.quiet && this.atBoundary) {
      this.commit({ status: 200, headers: streamHeaders(this.requestId) }, true)
      this.exchange.write(this.company === undefined ? HEARTBEAT : heartbeat(this.company))
    }
    this.quiet = true
    if (this.timer !== undefined) this.wheel.again(this.timer, this.pauseMs)
  }
}

function streamHeaders(requestId: string): HeaderView {
  return {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    'x-accel-buffering': 'no',
    'x-request-id': requestId,
  }
}
