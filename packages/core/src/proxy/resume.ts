import type { RosterNode } from '../contracts/index.js'
import { idsBody, textBody } from '../dialects/index.js'
import { messageOf } from '../errors/index.js'
import { UpstreamError } from '../wire/index.js'
import type { Admitted } from './admit.js'
import { AdmittedFacts } from './admitted-facts.js'
import { askPrompt } from './ask-prompt.js'
import type { AttemptEnd } from './forward.js'
import { orderFor } from './order-for.js'
import type { ProxyContext } from './proxy-context.js'
import { ResumedAnswer } from './resumed-answer.js'
import { gradeFor, type Resumption } from './resumption.js'
import { tellingLease } from './telling-lease.js'

interface Resuming {
  readonly node: RosterNode
  readonly resumption: Resumption
  /** Told once, when the node's first content is there. */
  readonly onContent?: (() => void) | undefined
  readonly onEnd: (end: AttemptEnd) => void
}

/** Asks a node for the rest of an answer that another one began, and sends it to the client behind what that has. */
export function resume(context: ProxyContext, request: Admitted, { node, resumption: given, onContent, onEnd }: Resuming): void {
  const resumption = { ...given, grade: gradeFor(node, given, request) }
  const { begun, grade, from } = resumption
  const told = { request: request.requestId, node: node.id, from: from.id, grade, deliveredTokens: begun.tokens }
  context.log.info('stream.resumed', told)
  const opened = context.leases.open(node, restFacts(request, resumption), context.lines.of(request.pool).observer)
  const lease = tellingLease(opened, onContent)
  const send = grade === 'exact' ? byIds : byText
  try {
    send(context, request, { node, resumption, answer: (echo) => new ResumedAnswer({ request, node, lease, resumption, echo, onEnd }) })
  } catch (bug) {
    lease.settle()
    throw bug
  }
}

interface Sending {
  readonly node: RosterNode
  readonly resumption: Resumption
  /** `echo`: what the rest begins with although the client has it. */
  readonly answer: (echo: string) => ResumedAnswer
}

function byText(context: ProxyContext, request: Admitted, { node, resumption: { begun }, answer }: Sending): void {
  const how = node.dialect.continuation?.text[request.face] ?? {}
  const delivered = begun.ledger.text() ?? ''
  const text = withoutHalfPair(delivered)
  const rest = answer(how.echoes === true ? delivered : delivered.slice(text.length))
  const body = textBody(request.scan, { model: node.model, tokens: begun.tokens, how, text })
  rest.began(context.upstream.dispatch(orderFor(request, node, { body }), rest))
}

function byIds(context: ProxyContext, request: Admitted, { node, resumption, answer }: Sending): void {
  const { begun, prompt } = resumption
  const how = node.dialect.continuation?.exact?.[request.face]
  const ids = begun.ids?.idsOf(begun.ledger.text() ?? '')
  const rest = answer('')
  if (how === undefined || ids === undefined) return rest.onError(new UpstreamError('closed', 'the ids of its tokens are not known'))
  const ask = (before: readonly (string | number)[]): void => {
    const all = [...before, ...ids]
    const room = how.needsLimit === true ? (node.contextTokens ?? 0) - all.length : undefined
    const body = idsBody(request.scan, { model: node.model, tokens: begun.tokens, how, prompt: all, room })
    rest.began(context.upstream.dispatch(orderFor(request, node, { body, face: 'openai-completions' }), rest))
  }
  if (prompt !== undefined) return ask(prompt)
  askPrompt(context, request, {
    node,
    rest,
    done: (text) => {
      try {
        ask([text])
      } catch (bug) {
        rest.onError(new UpstreamError('closed', `lb could not ask for the rest: ${messageOf(bug)}`))
      }
    },
  })
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
