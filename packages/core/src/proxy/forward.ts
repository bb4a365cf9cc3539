import type { AnswerClass, AttemptRecord, CollectedShape, Lease, RosterNode, Usage } from '../contracts/index.js'
import { askingForIds, spliceBody, streamedBody, type AnswerWatch } from '../dialects/index.js'
import { messageOf } from '../errors/index.js'
import { UpstreamError } from '../wire/index.js'
import type { Admitted } from './admit.js'
import { Answer } from './answer.js'
import { collectedShapeFor, forgoCollecting } from './collect-rules.js'
import { CollectingAnswer } from './collecting-answer.js'
import { handedLease } from './handed-lease.js'
import { orderFor } from './order-for.js'
import type { ProxyContext } from './proxy-context.js'
import { resume } from './resume.js'
import { keptFor, type Resumption } from './resumption.js'
import { tellingLease } from './telling-lease.js'

/** How one attempt at one node ended. */
export interface AttemptEnd {
  readonly outcome: AttemptRecord['outcome']
  readonly reason?: string | undefined
  /** True while the client has seen nothing, so that another node may be asked. */
  readonly movable: boolean
  /** What a refusal meant. */
  readonly verdict?: AnswerClass | undefined
  /** Status of the engine's answer, where one came. */
  readonly status: number | undefined
  readonly usage: Usage | undefined
  /** When the first content was there, on the monotonic clock. */
  readonly firstContentAtMs: number | undefined
  /** Prompt tokens that were believed cached at the node. */
  readonly believedCachedTokens: number
  /** Events that carried content; an estimate of tokens where usage is missing. */
  readonly contentEvents: number
  /** Text that the client was given, in JSON's form; known for streams that could be continued. */
  readonly deliveredBytes: number | undefined
  /** The node asked not to be asked for a while: its Retry-After, where it gave one. */
  readonly rest?: { readonly retryAfter: string | undefined } | undefined
  /** When it wants to be asked again, as it said. */
  readonly retryAfter?: string | undefined
  /** The body has left this process: its memory may be used again. */
  readonly isSent: boolean
  /** The engine broke the rules of HTTP: it would again. */
  readonly isNonsense?: boolean
  /** What the engine said instead of an answer, for the log. */
  readonly said: string
  /** The stream had begun, and another node may go on with it. */
  readonly resumption?: Resumption | undefined
  /** It went on with what another node began. */
  readonly continues?: 'exact' | 'text'
  /** The node broke off, but the client has the whole answer. */
  readonly isWhole?: boolean
  /** The client's stream ended in an error. */
  readonly isLost?: boolean
  /** The node said that the request is wrong. */
  readonly isClientsFault?: boolean
  /** It is whole, or whole enough to judge it, and of a revision that is tried out: the trusted one is asked before it counts. */
  readonly isDoubted?: boolean | undefined
  /** Has looked at the text of a whole answer; there while a revision is judged. */
  readonly watch?: AnswerWatch | undefined
  /** The plain answer was collected from a stream. */
  readonly collected?: boolean
  /** The engine notices late that the client has left. */
  readonly late?: boolean
  /** Sends what the engine answered although it was a refusal; there while the answer is held. */
  readonly passOn?: (() => void) | undefined
}

export interface AttemptTarget {
  readonly node: RosterNode
  /** Counts from 1. */
  readonly attempt: number
  /** A begun stream to go on with. */
  readonly resumption?: Resumption | undefined
  /** Told once, when the node's first content is there. */
  readonly onContent?: (() => void) | undefined
}

/** One attempt: sends the request to a node and its answer to the client. */
export function forward(
  context: ProxyContext,
  request: Admitted,
  { node, attempt, resumption, onContent }: AttemptTarget,
  onEnd: (end: AttemptEnd) => void,
): void {
  if (resumption !== undefined) return resume(context, request, { node, resumption, onContent, onEnd })
  const opened = tellingLease(context.leases.open(node, request.facts, context.lines.of(request.pool).observer), onContent)
  // What one node computed is fetched once: a second try computes the prompt itself.
  const handed = attempt === 1 && node.role === 'decode' && isByItsLike(request, node) ? request.handedOver : undefined
  const lease = handed === undefined ? opened : handedLease(opened)
  const shape = handed === undefined ? collectedShapeFor(request, node) : undefined
  if (shape !== undefined) return collect(context, request, { node, attempt, lease, shape, onEnd })
  const answer = new Answer({ context, request, node, attempt, lease, onEnd })
  try {
    const body = handed === undefined ? exactBody(request, node) : spliceBody(request.scan, node.model, request.scan.stream, handed)
    answer.began(context.upstream.dispatch(orderFor(request, node, { body }), answer))
  } catch (bug) {
    lease.settle()
    throw bug
  }
}

/** What one revision computed is nothing to another; the request may have moved to that since. */
function isByItsLike({ handedBy, parting }: Admitted, node: RosterNode): boolean {
  return parting === undefined || handedBy === undefined || parting.revisionOf(node) === handedBy
}

/** Where the ids of tokens are wanted, their engine is asked for them. */
function exactBody(request: Admitted, node: RosterNode): readonly Buffer[] | undefined {
  const exact = request.handedOver === undefined ? keptFor(request, node)?.exact : undefined
  return exact === undefined ? undefined : askingForIds(request.scan, node.model, exact)
}

interface Collecting extends AttemptTarget {
  readonly lease: Lease
  readonly shape: CollectedShape
  readonly onEnd: (end: AttemptEnd) => void
}

/** Asks for a stream and answers plainly; asks plainly after all where the stream is not one that is known. */
function collect(context: ProxyContext, request: Admitted, { node, attempt, lease, shape, onEnd }: Collecting): void {
  let collecting: CollectingAnswer | undefined
  const ended = (end: AttemptEnd): void => {
    const late = end.outcome === 'cancelled' && end.isSent && collecting?.hasBegun !== true
    onEnd({ ...end, collected: collecting !== undefined, late })
  }
  const answer = new Answer({ context, request, node, attempt, lease, onEnd: ended })
  const askPlainly = (why: string | undefined): void => {
    collecting = undefined
    if (why !== undefined) forgoCollecting(context, request, { node, why })
    try {
      answer.began(context.upstream.dispatch(orderFor(request, node), answer))
    } catch (bug) {
      answer.onError(new UpstreamError('closed', `lb could not ask again: ${messageOf(bug)}`))
    }
  }
  collecting = new CollectingAnswer({ shape, request, node, lease, answer, askPlainly })
  const order = orderFor(request, node, { body: streamedBody(request.scan, node.model) })
  try {
    collecting.began(context.upstream.dispatch(order, collecting))
  } catch (bug) {
    lease.settle()
    throw bug
  }
}
