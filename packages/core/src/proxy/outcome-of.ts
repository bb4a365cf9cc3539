import type { AnswerClass, AttemptRecord, LeaseEnd, NodeOutcome, RosterNode } from '../contracts/index.js'
import type { UpstreamError } from '../wire/index.js'
import type { ProxyContext } from './proxy-context.js'

/** What a broken exchange is called in the record of the try. */
export function outcomeOf({ kind }: UpstreamError): AttemptRecord['outcome'] {
  if (kind === 'connect') return 'connect-failed'
  if (kind === 'timeout' || kind === 'unsent') return kind
  return kind === 'abandoned' ? 'hung' : 'reset'
}

/** The try says nothing of the node: the client left, or lb lacked what it takes to ask. */
export function saysNothing(outcome: AttemptRecord['outcome']): outcome is 'cancelled' | 'unsent' {
  return outcome === 'cancelled' || outcome === 'unsent'
}

/** What the belief learns of the node: nothing where it was never asked. */
export function leaseOutcomeOf(outcome: AttemptRecord['outcome']): LeaseEnd['outcome'] {
  if (outcome === 'answered') return outcome
  return saysNothing(outcome) ? 'cancelled' : 'failed'
}

export interface TryEnd {
  readonly outcome: AttemptRecord['outcome']
  readonly reason?: string | undefined
  /** What a refusal meant. */
  readonly verdict?: AnswerClass | undefined
  /** The node asked for a pause. */
  readonly rest?: unknown
  /** The node says that the request is wrong. */
  readonly isClientsFault?: boolean
  /** It answered, and another revision is asked all the same. */
  readonly isDoubted?: boolean | undefined
}

/** Tells the judge of nodes how a try went, where it says something of the node. */
export function tellOutcome({ onOutcome }: ProxyContext, node: RosterNode, end: TryEnd): void {
  const kind = kindOf(end)
  if (kind !== undefined) onOutcome({ node: node.id, connectionKey: node.connectionKey, kind, reason: end.reason })
}

function kindOf({ outcome, verdict, rest, isClientsFault, isDoubted }: TryEnd): NodeOutcome['kind'] | undefined {
  if (saysNothing(outcome)) return undefined
  if (outcome === 'answered' || isClientsFault === true || isDoubted === true) return 'served'
  if (outcome !== 'refused') return outcome
  if (verdict === 'loading') return 'loading'
  return rest === undefined ? 'refused' : 'busy'
}
