import type { RosterNode } from '../contracts/index.js'
import { resumedBody } from '../dialects/index.js'
import type { Admitted } from './admit.js'
import { AdmittedFacts } from './admitted-facts.js'
import type { AttemptEnd } from './forward.js'
import { orderFor } from './order-for.js'
import type { ProxyContext } from './proxy-context.js'
import { ResumedAnswer } from './resumed-answer.js'
import type { Resumption } from './resumption.js'
import { tellingLease } from './telling-lease.js'

interface Resuming {
  readonly node: RosterNode
  readonly resumption: Resumption
  readonly onContent?: (() => void) | undefined
  readonly onEnd: (end: AttemptEnd) => void
}

/** Asks a node for the rest of an answer that another one began, and sends it to the client behind what that has. */
export function resume(context: ProxyContext, request: Admitted, { node, resumption, onContent, onEnd }: Resuming): void {
  const { begun } = resumption
  const how = node.dialect.continuation?.text[request.face] ?? {}
  const delivered = begun.ledger.text() ?? ''
  const text = withoutHalfPair(delivered)
  context.log.info('stream.resumed', {
    request: request.requestId,
    node: node.id,
    from: resumption.from.id,
    grade: resumption.grade,
    deliveredTokens: begun.tokens,
  })
  const opened = context.leases.open(node, restFacts(request, resumption), context.lines.of(request.pool).observer)
  const lease = tellingLease(opened, onContent)
  const echo = how.echoes === true ? delivered : delivered.slice(text.length)
  const answer = new ResumedAnswer({ request, node, lease, resumption, echo, onEnd })
  try {
    const body = resumedBody(request.scan, { model: node.model, begun, how, text })
    answer.began(context.upstream.dispatch(orderFor(request, node, body), answer))
  } catch (bug) {
    lease.settle()
    throw bug
  }
}

/** A text that was cut inside a character of two UTF-16 units: no engine can read the first one alone. It comes again, and is left out then. */
function withoutHalfPair(text: string): string {
  const last = text.charCodeAt(text.length - 1)
  return last >= 0xd800 && last <= 0xdbff ? text.slice(0, -1) : text
}

/** What is ahead of the node: the prompt with what was delivered, and so much less of an answer. */
function restFacts({ facts }: Admitted, { begun }: Resumption): AdmittedFacts {
  return new AdmittedFacts({
    ...facts,
    bodyBytes: facts.bodyBytes + begun.ledger.byteLength,
    promptTokens: facts.promptTokens + begun.tokens,
    outputTokens: Math.max(1, facts.outputTokens - begun.tokens),
  })
}
