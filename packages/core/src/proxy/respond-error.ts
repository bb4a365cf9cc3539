import { errorBody } from '../dialects/index.js'
import type { LbError } from '../errors/index.js'
import type { Walk } from './attempts.js'
import type { ProxyRequest } from './proxy-context.js'

/** Answers with an error in the client's dialect, where nothing was sent yet; else breaks the answer off. */
export function respondError({ exchange, requestId }: ProxyRequest, error: LbError, walk?: Walk): void {
  if (exchange.committed) return exchange.abort()
  const body = Buffer.from(errorBody(error, requestId))
  exchange.respond({
    status: error.httpStatus || 500,
    headers: {
      'content-type': 'application/json',
      'content-length': String(body.byteLength),
      'x-request-id': requestId,
      ...(error.retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(error.retryAfterMs / 1000)) }),
      ...(walk === undefined ? {} : { 'x-lb-attempts': String(walk.attempts.length) }),
      ...(walk?.node === undefined ? {} : { 'x-lb-node': walk.node.id }),
    },
  })
  exchange.write(body)
  exchange.end()
}
