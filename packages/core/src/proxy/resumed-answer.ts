import type { AnswerClass, Lease, RosterNode } from '../contracts/index.js'
import { EventSplitter, ResumedStream, saysDeath } from '../dialects/index.js'
import type { FrameVerdict, ResponseHead, UpstreamCall, UpstreamError, UpstreamEvents } from '../wire/index.js'
import type { Admitted } from './admit.js'
import { followClient, type Followed } from './follow-client.js'
import type { AttemptEnd } from './forward.js'
import { leaseOutcomeOf, outcomeOf } from './outcome-of.js'
import { didWork } from './retries/effort.js'
import { afterBreak, keptFor, streamCut, type Resumption } from './resumption.js'

/** A refusal's text, for the dialect's judgement. */
const JUDGED_BYTES = 2_048
/** An echo of all that was delivered may come as one event. */
const MAX_EVENT_BYTES = 1_048_576

export interface ResumedAnswerOptions {
  readonly request: Admitted
  readonly node: RosterNode
  readonly lease: Lease
  readonly resumption: Resumption
  /** Text that the answer begins with and the client has. */
  readonly echo: string
  readonly onEnd: (end: AttemptEnd) => void
}

/** The rest of a stream that another node began, on its way to a client that has the beginning. It is read event by event: only whole ones reach the client. */
export class ResumedAnswer implements UpstreamEvents, Followed {
  readonly takesFrames = false
  private call: UpstreamCall | undefined
  private head: ResponseHead | undefined
  private isStream = false
  private refusal = ''
  private out = ''
  private hasSpoken = false
  private toldEvents = 0
  isOver = false
  private readonly splitter = new EventSplitter(MAX_EVENT_BYTES)
  private readonly stream: ResumedStream

  constructor(private readonly options: ResumedAnswerOptions) {
    const { resumption, echo, request, node } = options
    const { begun, grade } = resumption
    const exact = grade === 'exact' ? keptFor(request, node)?.exact : undefined
    this.stream = new ResumedStream({
      begun,
      echo,
      exact,
      isChat: request.face === 'openai-chat',
      showsUsage: request.scan.includeUsage,
      saysDeath: (event) => saysDeath(node.dialect, event),
    })
  }

  began(call: UpstreamCall): void {
    this.call = call
    followClient(this.options.request.exchange, call, this)
  }

  left(): void {
    this.finish({ outcome: 'cancelled' })
  }

  onHead(head: ResponseHead): void {
    this.head = head
    this.isStream = head.status === 200 && (head.headers['content-type'] ?? '').includes('text/event-stream')
  }

  onFrame(): FrameVerdict {
    return 'decode'
  }

  onFrames(): void {}

  onBody(bytes: Buffer): void {
    if (this.isOver) return
    if (!this.isStream) return this.noteRefusal(bytes)
    for (const event of this.splitter.push(bytes)) {
      if (!event.whole) return this.giveUp('one of its events is too long')
      this.out += this.stream.event(event.bytes)
    }
    this.tell()
    if (this.stream.unfit !== undefined) this.giveUp(this.stream.unfit)
  }

  onReadEnd(): void {
    if (!this.isOver) this.send()
  }

  onEnd(): void {
    if (this.isOver) return
    if (!this.isStream) return this.refuse()
    const rest = this.splitter.rest()
    if (rest.byteLength > 0) this.out += this.stream.event(rest)
    if (!this.isWhole) return this.broke('cut', 'the stream ended without its end mark')
    this.send()
    this.options.request.delivery.end(Buffer.from('data: [DONE]\n\n'))
    this.finish({ outcome: 'answered' })
  }

  onError(error: UpstreamError): void {
    if (this.isOver) return
    if (this.isWhole) return this.onEnd()
    this.broke(outcomeOf(error), error.message)
  }

  private get isWhole(): boolean {
    return this.stream.unfit === undefined && this.options.node.dialect.streamEnd(this.stream.tail) === 'complete'
  }

  private tell(): void {
    const { lease } = this.options
    const { contentEvents } = this.stream
    if (contentEvents === this.toldEvents) return
    lease.firstToken()
    lease.tokens(contentEvents - this.toldEvents)
    this.toldEvents = contentEvents
  }

  /** Before the first word the client is told, in a comment, who goes on. */
  private send(): void {
    if (this.out === '') return
    const { request, node } = this.options
    if (!this.hasSpoken) this.out = `: lb continued this answer on ${node.id}\n\n${this.out}`
    this.hasSpoken = true
    const more = request.delivery.write(Buffer.from(this.out))
    this.out = ''
    if (more) return
    this.call?.pause()
    this.options.lease.heldUp?.()
  }

  private noteRefusal(bytes: Buffer): void {
    if (this.refusal.length < JUDGED_BYTES) this.refusal += bytes.toString('utf8', 0, JUDGED_BYTES)
  }

  private refuse(): void {
    const { status = 0, headers = {} } = this.head ?? {}
    const verdict: AnswerClass = this.options.node.dialect.classify(status, headers, this.refusal.slice(0, JUDGED_BYTES))
    const rest = verdict === 'cooldown' ? { retryAfter: headers['retry-after'] } : undefined
    const isClientsFault = verdict === 'client' || verdict === 'ok'
    this.broke('refused', `${status} (${verdict})`, { verdict, rest, isClientsFault })
  }

  /** Its answer is of no use. */
  giveUp(why: string): void {
    if (this.isOver) return
    this.call?.abort()
    this.broke('refused', why, { isClientsFault: !this.stream.died })
  }

  /** Whole events that came before count; another node goes on from there. */
  private broke(outcome: AttemptEnd['outcome'], reason: string, more: Pick<AttemptEnd, 'verdict' | 'rest' | 'isClientsFault'> = {}): void {
    const { request, node, resumption } = this.options
    this.send()
    // A node that could not be reached was not asked: how long one waits for nodes that are all down is the business of the retries.
    const isAsked = didWork({ outcome, rest: more.rest, verdict: more.verdict })
    const asked = resumption.asked + Number(isAsked)
    const fruitless = this.stream.hasContent ? 0 : resumption.fruitless + Number(isAsked)
    const { begun, firstContentAtMs } = resumption
    const after = afterBreak({ request, node, firstContentAtMs }, { begun, asked, fruitless })
    const said = this.stream.hasContent && outcome !== 'hung' ? 'cut' : outcome
    if (after.kind === 'resume') {
      // From where the first one was: a node that cannot go on is no measure for the next.
      const next = { ...after.resumption, from: resumption.from }
      return this.finish({ outcome: said, reason, resumption: next, passOn: () => request.delivery.fail(streamCut(reason), {}), ...more })
    }
    if (after.kind === 'whole') {
      begun.usage ??= after.counted
      request.delivery.end(Buffer.from(after.rest))
    } else request.delivery.fail(streamCut(`${reason}; ${after.why}`), {})
    this.finish({ outcome: said, reason, isWhole: after.kind === 'whole', isLost: after.kind === 'lost', ...more })
  }

  private finish(
    end: Pick<AttemptEnd, 'outcome' | 'reason' | 'verdict' | 'rest' | 'resumption' | 'passOn' | 'isWhole' | 'isLost' | 'isClientsFault'>,
  ): void {
    if (this.isOver) return
    this.isOver = true
    const { stream, options } = this
    const { lease, resumption, onEnd } = options
    const { outcome } = end
    lease.settle({
      outcome: leaseOutcomeOf(outcome),
      usage: stream.engineUsage,
      outputTokens: stream.contentEvents,
    })
    const { begun, firstContentAtMs, grade } = resumption
    onEnd({
      ...end,
      movable: false,
      continues: grade,
      contentEvents: begun.tokens,
      believedCachedTokens: lease.believedCachedTokens,
      deliveredBytes: begun.ledger.byteLength,
      isSent: this.call?.isSent === true,
      said: this.refusal,
      status: outcome === 'cancelled' && this.head === undefined ? undefined : 200,
      usage: begun.usage,
      firstContentAtMs,
    })
  }
}
