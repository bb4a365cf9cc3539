import type { AnswerClass, HeaderView, Lease, RosterNode } from '../contracts/index.js'
import { LbError } from '../errors/index.js'
import { type FrameVerdict, type ResponseHead, type UpstreamCall, type UpstreamError, type UpstreamEvents } from '../wire/index.js'
import type { Admitted } from './admit.js'
import { doubtOf, REPEATS } from './answer-doubts.js'
import { attemptEnd, leaseOutcome, type AnswerEnd, type AnswerSoFar } from './answer-end.js'
import { breakOff } from './break-off.js'
import type { BodyReader } from './body-reader.js'
import { followClient, type Followed } from './follow-client.js'
import type { AttemptEnd } from './forward.js'
import { outcomeOf } from './outcome-of.js'
import { HeldBytes } from './held-bytes.js'
import { Opening } from './opening.js'
import type { ProxyContext } from './proxy-context.js'
import { readerFor } from './reader-for.js'

/** Most bytes held back while another node could still be asked. */
const MAX_HELD_BYTES = 65_536
/** A refusal's text, for the dialect's judgement. */
const JUDGED_BYTES = 2_048
/** `0 CRLF CRLF`. */
const CLOSING_FRAME_BYTES = 5
const NO_END_MARK = 'the stream ended without its end mark'

export interface AnswerOptions {
  readonly context: Pick<ProxyContext, 'clock' | 'rosters'>
  readonly request: Admitted
  readonly node: RosterNode
  readonly attempt: number
  readonly lease: Lease
  readonly onEnd: (end: AttemptEnd) => void
}

/**
 * One engine's answer on its way to the client. Head and bytes are held until the first content of a stream or the end of a plain body (at most
 * 64 KiB): until then the client has seen nothing and the request can move.
 */
export class Answer implements UpstreamEvents, Followed, AnswerSoFar {
  call: UpstreamCall | undefined
  head: ResponseHead | undefined
  reader: BodyReader | undefined
  private readonly held = new HeldBytes()
  private committed = false
  isOver = false
  said = ''
  isNonsense = false
  firstContentAtMs: number | undefined
  /** Content events that the lease has heard of. */
  private toldEvents = 0
  private opening: Opening | undefined

  constructor(private readonly options: AnswerOptions) {}

  began(call: UpstreamCall): void {
    this.call = call
    followClient(this.options.request.exchange, call, this)
  }

  left(): void {
    this.finish({ outcome: 'cancelled', movable: false })
  }

  onHead(head: ResponseHead): void {
    this.head = head
    this.reader = readerFor(this.options.request, this.options.node, head)
  }

  get takesFrames(): boolean {
    return this.committed && this.reader?.atBoundary === true && this.options.request.delivery.takesFrames
  }

  onFrame(bytes: Buffer, start: number, end: number): FrameVerdict {
    return this.reader?.frame(bytes, start, end) ?? 'decode'
  }

  onFrames(frames: Buffer, last: boolean): void {
    this.tellTokens()
    this.sendHeld()
    if (!last) return this.flow(this.options.request.delivery.writeFrames(frames, false))
    const cut = this.gaveUp !== undefined || this.streamEnd() === 'cut'
    const sent = cut ? frames.subarray(0, frames.byteLength - CLOSING_FRAME_BYTES) : frames
    if (sent.byteLength > 0) this.options.request.delivery.writeFrames(sent, !cut)
    if (cut) this.broke('cut', this.gaveUp ?? NO_END_MARK)
    else this.finish({ outcome: 'answered', movable: false })
  }

  onBody(bytes: Buffer): void {
    const { reader, options } = this
    const { node, request } = options
    if (reader === undefined || this.isOver) return
    for (const part of reader.read(bytes)) this.held.add(part)
    const { stream } = reader
    if (stream?.hasContent === true) {
      this.sawContent()
      this.tellTokens()
    }
    if (this.committed) return
    // An engine's error object is an answer to this request; it goes out as soon as it is there, like content.
    const isAnswer = stream?.hasContent === true || (stream?.hasError === true && request.parting?.doubts(node) !== true)
    if (!isAnswer && this.held.byteLength <= MAX_HELD_BYTES) return
    if (request.parting !== undefined && stream?.hasContent === true && this.isHeldBack()) return
    if (!this.comesTooLate()) return this.commit()
    this.call?.abort()
    this.tellAsEvent()
  }

  onReadEnd(): void {
    if (this.isOver) return
    this.reader?.keep()
    if (this.gaveUp !== undefined) {
      this.call?.abort()
      return this.broke('refused', this.gaveUp)
    }
    if (this.committed) this.sendHeld()
    else this.held.keep()
  }

  onEnd(): void {
    if (this.isOver || this.head === undefined || this.reader === undefined) return
    for (const part of this.reader.finish()) this.held.add(part)
    if (this.gaveUp !== undefined) return this.broke('refused', this.gaveUp)
    const verdict = this.classify(this.head)
    if (isRefusal(verdict) && !this.committed) return this.refuse(verdict)
    if (verdict === 'ok' && this.streamEnd() === 'cut') return this.broke('cut', NO_END_MARK)
    if (verdict === 'ok' && this.isUnserved()) return this.refuse('retry')
    const doubt = this.committed
      ? undefined
      : doubtOf(this.options.request, this.options.node, { status: this.head.status, verdict, reader: this.reader })
    if (doubt !== undefined) return this.refuse(verdict, doubt)
    if (this.comesTooLate()) return this.tellAsEvent()
    this.sawContent()
    this.commit()
    this.options.request.delivery.end(this.held.take())
    this.finish({ outcome: 'answered', movable: false })
  }

  onError(error: UpstreamError): void {
    if (this.isOver) return
    this.isNonsense = error.kind === 'framing'
    // With its end mark a stream is whole, whatever becomes of the connection; where the framing is wrong nobody knows whose mark it is.
    if (this.committed && !this.isNonsense && this.reader?.stream !== undefined && this.streamEnd() === 'complete') return this.onEnd()
    const outcome = outcomeOf(error)
    this.said = error.said
    this.broke(outcome, error.message)
  }

  /** The engine told, in an event that the client does not see, that it cannot go on. */
  private get gaveUp(): string | undefined {
    const failure = this.reader?.stream?.failure
    return failure === undefined ? undefined : `its engine gave up: ${failure}`
  }

  private classify({ status, headers }: ResponseHead): AnswerClass {
    const text = status < 400 || this.committed ? '' : this.held.start(JUDGED_BYTES)
    return this.options.node.dialect.classify(status, headers, text)
  }

  private streamEnd(): 'complete' | 'cut' | 'error' {
    const stream = this.reader?.stream
    return stream === undefined ? 'complete' : this.options.node.dialect.streamEnd(stream.tail)
  }

  private isUnserved(): boolean {
    const judge = this.options.node.dialect.isUnserved
    return judge !== undefined && !this.committed && this.held.byteLength <= JUDGED_BYTES && judge(this.held.start(JUDGED_BYTES))
  }

  /** The first words of a revision that is tried out are looked at before the client reads them. */
  private isHeldBack(): boolean {
    const { reader, options } = this
    this.opening ??= Opening.of({ ...options, ...options.context, watch: reader?.watch, onOpen: () => this.open() })
    const look = this.opening?.look() ?? 'open'
    if (look === 'loop') {
      this.call?.abort()
      this.refuse('ok', REPEATS)
    }
    return look !== 'open' && this.held.byteLength <= MAX_HELD_BYTES
  }

  private open(): void {
    if (this.isOver || this.committed) return
    this.commit()
    this.sendHeld()
  }

  private sendHeld(): void {
    const bytes = this.held.take()
    this.options.request.delivery.atBoundary = this.reader?.atBoundary === true
    if (bytes !== undefined) this.flow(this.options.request.delivery.write(bytes))
  }

  private flow(more: boolean): void {
    if (more) return
    this.call?.pause()
    this.options.lease.heldUp?.()
  }

  private sawContent(): void {
    if (this.firstContentAtMs !== undefined) return
    this.firstContentAtMs = this.options.context.clock.nowMs()
    this.options.lease.firstToken()
  }

  /** Once for all events of a read: each alone would cost more than it tells. */
  private tellTokens(): void {
    const events = this.reader?.stream?.contentEvents ?? 0
    if (events === this.toldEvents) return
    this.options.lease.tokens(events - this.toldEvents)
    this.toldEvents = events
  }

  private commit(): void {
    if (this.committed || this.head === undefined) return
    const { request, node, attempt } = this.options
    this.committed = true
    const { requestId } = request
    const length = this.contentLength(this.head)
    const attempts = String(attempt)
    const headers: HeaderView =
      length === undefined
        ? { 'x-request-id': requestId, 'x-lb-node': node.id, 'x-lb-attempts': attempts }
        : { 'content-length': length, 'x-request-id': requestId, 'x-lb-node': node.id, 'x-lb-attempts': attempts }
    request.delivery.commit({ status: this.head.status, headers, shared: this.head.passed }, this.reader?.stream !== undefined)
  }

  /** Known for a plain body that is whole, or whose engine said so. */
  private contentLength({ headers }: ResponseHead): string | undefined {
    if (this.reader?.stream !== undefined) return undefined
    return this.reader?.ended === true ? String(this.held.byteLength) : headers['content-length']
  }

  /** `doubt`: a node of another revision is asked before this answer counts. */
  private refuse(verdict: AnswerClass, doubt?: string): void {
    this.held.keep()
    const rest = verdict === 'cooldown' ? { retryAfter: this.head?.headers['retry-after'] } : undefined
    const reason = doubt ?? `${this.head?.status ?? 0} (${verdict})`
    const isDoubted = doubt !== undefined
    const passOn = this.reader?.ended === true ? () => this.passOn() : undefined
    this.finish({ outcome: 'refused', reason, verdict, movable: true, rest, isDoubted, passOn })
  }

  /** The engine's refusal is the answer after all. */
  private passOn(): void {
    if (this.comesTooLate()) return this.sayAsEvent()
    this.commit()
    this.options.request.delivery.end(this.held.take())
  }

  /** A comment has promised the client an event stream, and this is none: a refusal, most of the time. */
  private comesTooLate(): boolean {
    return !this.committed && this.reader?.stream === undefined && this.options.request.delivery.started
  }

  private tellAsEvent(): void {
    this.sayAsEvent()
    this.finish({ outcome: 'answered', movable: false })
  }

  private sayAsEvent(): void {
    const status = this.head?.status ?? 0
    const message = `the node answered ${status} and no event stream: ${this.held.start(JUDGED_BYTES)}`
    this.options.request.delivery.fail(new LbError(message, { code: 'LB_NO_STREAM', source: 'engine', httpStatus: status || 502 }), {})
  }

  /** The engine went away. Before any content was shown, another node may be asked; after it, the client is told the truth. */
  private broke(outcome: AttemptEnd['outcome'], reason: string): void {
    if (!this.committed) return this.finish({ outcome, reason, movable: true })
    const { request, node } = this.options
    this.sendHeld()
    this.finish(breakOff({ request, node, firstContentAtMs: this.firstContentAtMs }, this.reader, reason))
  }

  private finish(end: AnswerEnd): void {
    if (this.isOver) return
    this.isOver = true
    this.opening?.close(undefined)
    const { reader } = this
    const { lease, onEnd } = this.options
    lease.settle({ outcome: leaseOutcome(end), usage: reader?.usage, outputTokens: reader?.stream?.contentEvents ?? 0 })
    onEnd(attemptEnd(end, this, lease))
  }
}

function isRefusal(verdict: AnswerClass): boolean {
  return verdict !== 'ok' && verdict !== 'client'
}
