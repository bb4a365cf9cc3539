import type { CollectedShape, HeaderView, Lease, RosterNode } from '../contracts/index.js'
import { AnswerCollector, EventSplitter } from '../dialects/index.js'
import { isLbError } from '../errors/index.js'
import { type FrameVerdict, type ResponseHead, type UpstreamCall, UpstreamError, type UpstreamEvents } from '../wire/index.js'
import type { Admitted } from './admit.js'
import type { Answer } from './answer.js'

/** Text of one answer that is held at most; the longest contexts of today make a tenth of it. */
export const MAX_COLLECTED_BYTES = 32 * 1024 * 1024
/** What a plain answer may hold too, so it is not counted; beyond it, the memory is that of `gateway.maxBodies`. */
const UNCOUNTED_BYTES = 65_536

export interface CollectingOptions {
  readonly shape: CollectedShape
  readonly request: Admitted
  readonly node: RosterNode
  readonly lease: Lease
  /** Takes what a plain request would have got. */
  readonly answer: Answer
  /** Asks the node again, for a plain answer; `why` is undefined where only this one answer was of no use. */
  readonly askPlainly: (why: string | undefined) => void
}

/**
 * Stands between an engine's stream and the plain answer that the client wants: collects the one, and hands the other on as if the engine had sent it.
 * What is no event stream (a refusal, most of the time) passes as it is.
 */
export class CollectingAnswer implements UpstreamEvents {
  /** Streams are let go at once; the client of one that has not begun is noticed as late as any. */
  hasBegun = false
  readonly takesFrames = false
  private call: UpstreamCall | undefined
  private head: ResponseHead | undefined
  private countedBytes = UNCOUNTED_BYTES
  private over = false
  private readonly splitter = new EventSplitter()
  private readonly collector: AnswerCollector

  constructor(private readonly options: CollectingOptions) {
    this.collector = new AnswerCollector(options.shape, MAX_COLLECTED_BYTES)
  }

  began(call: UpstreamCall): void {
    this.call = call
    this.options.answer.began(call)
  }

  onHead(head: ResponseHead): void {
    this.hasBegun = true
    if (head.status === 200 && (head.headers['content-type'] ?? '').includes('text/event-stream')) this.head = head
    else this.options.answer.onHead(head)
  }

  onFrame(): FrameVerdict {
    return 'decode'
  }

  onFrames(): void {}

  onBody(bytes: Buffer): void {
    if (this.head === undefined) return this.options.answer.onBody(bytes)
    if (this.over) return
    let events = 0
    for (const event of this.splitter.push(bytes)) {
      events += 1
      if (event.whole) this.collector.event(event.bytes)
      else this.collector.piece()
    }
    if (this.collector.hasText) {
      this.options.lease.firstToken()
      this.options.lease.tokens(events)
    }
    if (this.collector.unknown !== undefined) return this.giveUp(this.collector.unknown)
    this.count()
  }

  onReadEnd(): void {
    if (this.head === undefined) this.options.answer.onReadEnd()
  }

  onEnd(): void {
    const { answer, node } = this.options
    if (this.head === undefined) return answer.onEnd()
    if (this.over) return
    const rest = this.splitter.rest()
    if (rest.byteLength > 0) this.collector.event(rest)
    const { error, unknown, tail } = this.collector
    if (error !== undefined) return this.hand(statusOf(error), error)
    if (node.dialect.streamEnd(tail) !== 'complete') return this.fail('closed', 'the stream ended without its end mark')
    const whole = this.collector.answer()
    if (whole === undefined) return this.giveUp(unknown ?? this.collector.unknown)
    this.hand(200, whole)
  }

  onError(error: UpstreamError): void {
    if (!this.over) this.options.answer.onError(error)
  }

  /** The answer is not one that is known: the request is sent as it came. */
  private giveUp(why: string | undefined): void {
    this.over = true
    this.call?.abort()
    this.options.askPlainly(why)
  }

  private hand(status: number, body: Buffer): void {
    const { answer, shape } = this.options
    this.over = true
    const headers = { 'content-type': shape.contentType, 'content-length': String(body.byteLength) }
    answer.onHead({ status, headers, passed: passedOf(this.head?.passed ?? {}, shape.contentType) })
    answer.onBody(body)
    answer.onEnd()
  }

  /** Long answers are held in the memory that requests share. */
  private count(): void {
    if (this.collector.tooLong) return this.fail('framing', `its answer is longer than ${MAX_COLLECTED_BYTES / 1024 / 1024} MiB`)
    const over = this.collector.byteLength - this.countedBytes
    if (over <= 0) return
    try {
      this.options.request.share.grow(over + UNCOUNTED_BYTES)
      this.countedBytes += over + UNCOUNTED_BYTES
    } catch (thrown) {
      if (!isLbError(thrown)) throw thrown
      this.fail('framing', `no memory for its answer: ${thrown.message}; ${thrown.hint ?? ''}`)
    }
  }

  private fail(kind: UpstreamError['kind'], message: string): void {
    this.over = true
    this.call?.abort()
    this.options.answer.onError(new UpstreamError(kind, message))
  }
}

/** Headers that speak of a stream. */
const STREAM_HEADERS: ReadonlySet<string> = new Set(['x-accel-buffering', 'cache-control', 'content-type'])
const passedHeads = new WeakMap<HeaderView, HeaderView>()

/** What the client is shown of the stream's head; the same object for the same head. */
function passedOf(passed: HeaderView, contentType: string): HeaderView {
  let view = passedHeads.get(passed)
  if (view === undefined) {
    const kept = Object.entries(passed).filter(([name]) => !STREAM_HEADERS.has(name))
    passedHeads.set(passed, (view = { ...Object.fromEntries(kept), 'content-type': contentType }))
  }
  return view
}

/** The status that the engine would have answered with, as its error object says; 500 where it does not. */
function statusOf(error: Buffer): number {
  const parsed = JSON.parse(error.toString('utf8')) as { readonly error?: { readonly code?: unknown } | string }
  const code = typeof parsed.error === 'object' ? parsed.error.code : undefined
  return typeof code === 'number' && Number.isInteger(code) && code >= 400 && code <= 599 ? code : 500
}
