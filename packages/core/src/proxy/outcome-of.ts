import type { AnswerClass, AttemptRecord, NodeOutcome, RosterNode } from '../contracts/index.js'
import type { UpstreamError } from '../wire/index.js'
import type { ProxyContext } from './proxy-context.js'

/** What a broken exchange is called in the record of the try. */
export function outcomeOf({ kind }: UpstreamError): AttemptRecord['outcome'] {
  if (kind === 'connect') return 'connect-failed'
  if (kind === 'timeout') return 'timeout'
  return kind === 'abandoned' ? 'hung' : 'reset'
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

/** Tells the judge of nodes how a try went; nothing where the client left. */
export function tellOutcome({ onOutcome }: ProxyContext, node: RosterNode, end: TryEnd): void {
  const kind = kindOf(end)
  if (kind !== undefined) onOutcome({ node: node.id, connectionKey: node.connectionKey, kind, reason: end.reason })
}

function kindOf({ outcome, verdict, rest, isClientsFault, isDoubted }: TryEnd): NodeOutcome['kind'] | undefined {
  if (outcome === 'cancelled') return undefined
  if (outcome === 'answered' || isClientsFault === true || isDoubted === true) return 'served'
  if (outcome !== 'refused') return outcome
  if (verdict === 'loading') return 'loading'
  return rest === undefined ? 'refused' : 'busy'
}
