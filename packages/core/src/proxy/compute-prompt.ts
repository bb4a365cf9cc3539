import type { AnswerClass, AttemptRecord, Lease, RosterNode } from '../contracts/index.js'
import { handedOverIn, prefillBody, usageInAnswer, type HandedOver } from '../dialects/index.js'
import type { FrameVerdict, ResponseHead, UpstreamCall, UpstreamError, UpstreamEvents } from '../wire/index.js'
import type { Admitted } from './admit.js'
import { orderFor } from './order-for.js'
import { leaseOutcomeOf, outcomeOf } from './outcome-of.js'
import type { ProxyContext } from './proxy-context.js'
import { retryAfterMs } from './retries/pause.js'

/** One token and where the prompt lies; a list of blocks for a million tokens of prompt is well below. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024
/** A refusal's text, for the dialect's judgement. */
const JUDGED_BYTES = 2_048

/** How the computing of one prompt ended. */
export interface PromptEnd {
  readonly outcome: AttemptRecord['outcome']
  readonly reason?: string
  /** What a refusal meant. */
  readonly verdict?: AnswerClass
  /** The node asked for a pause. */
  readonly rest?: true
  /** There when it was computed. */
  readonly handedOver?: HandedOver
  /** The body has left this process. */
  readonly isSent: boolean
  /** The node says that the request is wrong. */
  readonly isClientsFault?: boolean
}

/** Has one node compute the prompt. `onEnd` is called once; the client's leaving ends it. */
export function computePrompt(context: ProxyContext, request: Admitted, node: RosterNode, onEnd: (end: PromptEnd) => void): void {
  const { handover } = node.dialect
  if (handover === undefined) return onEnd({ outcome: 'refused', reason: 'it cannot hand a prompt over', isSent: true })
  const lease = context.leases.open(node, request.facts)
  const answer = new PromptAnswer({ context, request, node, lease, field: handover.field, onEnd })
  try {
    const body = prefillBody(request.scan, node.model, handover)
    answer.began(context.upstream.dispatch(orderFor(request, node, { body }), answer))
  } catch (bug) {
    lease.settle()
    throw bug
  }
}

interface PromptAnswerOptions {
  readonly context: ProxyContext
  readonly request: Admitted
  readonly node: RosterNode
  readonly lease: Lease
  readonly field: string
  readonly onEnd: (end: PromptEnd) => void
}

/** The plain answer of a node that computed a prompt; nothing of it goes to the client. */
class PromptAnswer implements UpstreamEvents {
  readonly takesFrames = false
  private call: UpstreamCall | undefined
  private head: ResponseHead | undefined
  private readonly parts: Buffer[] = []
  private byteLength = 0
  private over = false

  constructor(private readonly options: PromptAnswerOptions) {}

  /** The client may have left before. */
  began(call: UpstreamCall): void {
    this.call = call
    if (this.over) return call.abort()
    this.options.request.exchange.onGone(() => this.finish({ outcome: 'cancelled' }))
  }

  onHead(head: ResponseHead): void {
    this.head = head
  }

  onFrame(): FrameVerdict {
    return 'decode'
  }

  onFrames(): void {}

  onBody(bytes: Buffer): void {
    if (this.over) return
    this.byteLength += bytes.byteLength
    // The buffer is the socket's; what is kept of it is a copy.
    this.parts.push(Buffer.from(bytes))
    if (this.byteLength > MAX_ANSWER_BYTES)
      this.finish({ outcome: 'refused', reason: `its answer is longer than ${MAX_ANSWER_BYTES / 1024 / 1024} MiB` })
  }

  onReadEnd(): void {}

  onEnd(): void {
    if (this.over || this.head === undefined) return
    const { node, context, field } = this.options
    const { status, headers } = this.head
    const body = Buffer.concat(this.parts)
    const verdict = node.dialect.classify(status, headers, status < 400 ? '' : body.toString('utf8', 0, JUDGED_BYTES))
    if (verdict === 'cooldown')
      context.cooldowns.begin(node, retryAfterMs(headers['retry-after'], context.clock.epochMs()), context.clock.nowMs())
    if (verdict !== 'ok') {
      const isClientsFault = verdict === 'client' && status < 500
      const rest = verdict === 'cooldown' ? { rest: true as const } : {}
      return this.finish({ outcome: 'refused', reason: `${status} (${verdict})`, verdict, ...rest, isClientsFault })
    }
    const handedOver = handedOverIn(body, field)
    if (handedOver === undefined) return this.finish({ outcome: 'refused', reason: `its answer has no ${field}` })
    this.options.lease.firstToken()
    this.finish({ outcome: 'answered', handedOver }, body)
  }

  onError(error: UpstreamError): void {
    this.finish({ outcome: outcomeOf(error), reason: error.message })
  }

  private finish(end: Omit<PromptEnd, 'isSent'>, body?: Buffer): void {
    if (this.over) return
    this.over = true
    const { lease, request, onEnd } = this.options
    request.exchange.onGone(() => undefined)
    if (end.outcome === 'cancelled' || (end.outcome === 'refused' && this.byteLength > MAX_ANSWER_BYTES)) this.call?.abort()
    const usage = body === undefined ? undefined : usageInAnswer(body)
    lease.settle({ outcome: leaseOutcomeOf(end.outcome), outputTokens: 1, usage })
    onEnd({ ...end, isSent: this.call?.isSent === true })
  }
}
