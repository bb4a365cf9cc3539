import type { AttemptRecord, RosterNode } from '../contracts/index.js'
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
  /** The node asked for a pause. */
  readonly rest?: unknown
}

/** Tells the judge of nodes how a try went; nothing where the client left. */
export function tellOutcome({ onOutcome }: ProxyContext, node: RosterNode, { outcome, reason, rest }: TryEnd): void {
  if (outcome === 'cancelled') return
  const kind = outcome === 'answered' ? 'served' : outcome === 'refused' && rest !== undefined ? 'busy' : outcome
  onOutcome({ node: node.id, connectionKey: node.connectionKey, kind, reason })
}
