import type { Dialect, RosterNode } from '../contracts/index.js'
import { AnswerWatch, DeliveredLedger, saysDeath, StreamInspector, TokenLedger, type StreamEvent } from '../dialects/index.js'
import type { ResponseHead } from '../wire/index.js'
import type { Admitted } from './admit.js'
import { PlainReader, StreamReader, type BodyReader } from './body-reader.js'
import { keptFor } from './resumption.js'

/** What looks at the body behind this head. Where another node could go on with a stream, it must know what was delivered. */
export function readerFor(request: Admitted, node: RosterNode, { status, headers }: ResponseHead): BodyReader {
  const { scan, parting, handedOver } = request
  // A refusal is no stream, whatever it calls itself: it passes as it is, to the last byte.
  const isStream = scan.stream && status < 400 && (headers['content-type'] ?? '').includes('text/event-stream')
  const watch = parting?.isWatched === true && status < 400 ? AnswerWatch.of(scan, isStream) : undefined
  if (!isStream) return new PlainReader(watch)
  const kept = keptFor(request, node)
  const ids = kept?.exact === undefined || handedOver !== undefined ? undefined : new TokenLedger(kept.exact)
  const ledger = kept === undefined ? undefined : new DeliveredLedger()
  const givesUp = deathIn(node.dialect)
  if (parting?.doubts(node) !== true) return new StreamReader(new StreamInspector(!scan.includeUsage, ledger, givesUp, watch), ids)
  // Where a revision is tried out, an error in the middle of an answer is its own, and the trusted one may be able to go on.
  const mayBeItsOwn = (event: StreamEvent): boolean => givesUp(event) || (inspector.hasContent && event.kind === 'error')
  const inspector: StreamInspector = new StreamInspector(!scan.includeUsage, ledger, mayBeItsOwn, watch)
  return new StreamReader(inspector, ids)
}

type EventRule = (event: StreamEvent) => boolean

const rules = new WeakMap<Dialect, EventRule>()

/** What an engine says that is dying; one rule for all streams of a dialect. */
function deathIn(dialect: Dialect): EventRule {
  let rule = rules.get(dialect)
  if (rule === undefined) rules.set(dialect, (rule = (event) => saysDeath(dialect, event)))
  return rule
}
