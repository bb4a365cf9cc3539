import type { RosterNode, Usage } from '../contracts/index.js'
import { spliceBody } from '../dialects/index.js'
import { allowedRequestHeaders, type UpstreamRequest } from '../wire/index.js'
import type { Admitted } from './admit.js'
import { Answer } from './answer.js'
import type { ProxyContext } from './proxy-context.js'

/** How one attempt at one node ended. */
export interface AttemptEnd {
  readonly outcome: 'answered' | 'connect-failed' | 'reset' | 'timeout' | 'refused' | 'cancelled' | 'cut'
  readonly reason?: string | undefined
  /** True while the client has seen nothing, so that another node may be asked. */
  readonly movable: boolean
  /** Status of the engine's answer, where one came. */
  readonly status: number | undefined
  readonly usage: Usage | undefined
  /** When the first content was there, on the monotonic clock. */
  readonly firstContentAtMs: number | undefined
  /** Events that carried content; an estimate of tokens where usage is missing. */
  readonly contentEvents: number
  /** Text that the client was given, in JSON's form; known for streams that could be continued. */
  readonly deliveredBytes: number | undefined
  /** Sends what the engine answered although it was a refusal; there while the answer is held. */
  readonly passOn?: (() => void) | undefined
}

/** One attempt: sends the request to a node and its answer to the client. Never rejects. */
export function forward(context: ProxyContext, request: Admitted, node: RosterNode, attempt: number): Promise<AttemptEnd> {
  const lease = context.leases.open(node, request.facts.promptTokens + request.facts.outputTokens)
  return new Promise<AttemptEnd>((resolve) => {
    const answer = new Answer({ request, node, attempt, clock: context.clock, onFirstContent: () => lease.firstToken(), onOver: resolve })
    const { connectMs, firstTokenMs, idleMs } = request.pool.timeouts
    const call = context.upstream.dispatch(
      {
        key: `${node.id}#${node.incarnation}`,
        target: node.target,
        request: upstreamRequest(request, node),
        timeouts: { connectMs, firstByteMs: firstTokenMs, idleMs },
      },
      answer,
    )
    answer.began(call)
  }).finally(() => lease.settle())
}

function upstreamRequest(request: Admitted, node: RosterNode): UpstreamRequest {
  const { exchange, scan } = request
  const headers = allowedRequestHeaders(exchange.head.headers, node.dialect.headers.strip)
  // The body was read as JSON, whatever the client called it: curl -d says that it is a form.
  headers['content-type'] = 'application/json'
  headers['x-request-id'] = request.requestId
  return {
    method: 'POST',
    path: `${node.target.basePath}${node.dialect.paths[request.face] ?? ''}`,
    headers: Object.assign(headers, node.dialect.headers.set, node.authHeaders),
    body: spliceBody(scan, { model: node.model, includeUsage: scan.stream }),
  }
}
