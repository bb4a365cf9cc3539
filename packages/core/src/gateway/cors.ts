import type { HeaderView } from '../contracts/index.js'
import { LbError } from '../errors/index.js'
import type { Exchange } from '../wire/index.js'
import { withAnswerHeaders } from './answer-headers.js'

/** What pages in a browser may do here: the CORS protocol of the Fetch standard. Keys travel in headers, so nothing is said of credentials. */
export interface Cors {
  /** The exchange whose answer, errors too, the page may read; the same one where it comes from no listed origin. */
  open(exchange: Exchange): Exchange
  /** Headers that answer a browser's question before a request; `methods` are those of the path. Undefined: it is no such question. Throws LB_ORIGIN_REFUSED (403). */
  preflight(exchange: Exchange, methods: string): Record<string, string> | undefined
}

const OFFERED = ['authorization', 'content-type', 'x-api-key', 'x-request-id']
const EXPOSED = 'x-request-id, x-lb-node, x-lb-attempts, retry-after'
/** Lower-case header names; SDKs bring theirs, such as x-stainless-lang. */
const SAFE_NAME = /^[a-z0-9-]{1,64}$/
const MAX_ASKED = 64

/** `origins` as browsers send them; a lone `*` lists every one. */
export function createCors({ origins, maxAgeMs }: { readonly origins: readonly string[]; readonly maxAgeMs: number }): Cors {
  const every = origins.includes('*')
  const listed = new Set(origins)
  const allowed = (origin: string): string | undefined => (every ? '*' : listed.has(origin) ? origin : undefined)
  const answers = new Map<string, HeaderView>(origins.map((origin) => [origin, answerHeaders(origin)]))
  const maxAge = String(Math.floor(maxAgeMs / 1000))
  return {
    open(exchange) {
      const { origin } = exchange.head.headers
      const headers = origin === undefined ? undefined : answers.get(allowed(origin) ?? '')
      return headers === undefined ? exchange : withAnswerHeaders(exchange, headers)
    },
    preflight({ head: { method, headers } }, methods) {
      const { origin } = headers
      if (method !== 'OPTIONS' || origin === undefined || headers['access-control-request-method'] === undefined) return undefined
      if (allowed(origin) === undefined) throw refused(origin)
      return {
        'access-control-allow-methods': methods,
        'access-control-allow-headers': [...new Set([...OFFERED, ...asked(headers)])].join(', '),
        'access-control-max-age': maxAge,
      }
    },
  }
}

function answerHeaders(origin: string): HeaderView {
  return { 'access-control-allow-origin': origin, 'access-control-expose-headers': EXPOSED, vary: 'origin' }
}

function asked(headers: HeaderView): readonly string[] {
  const names = (headers['access-control-request-headers'] ?? '').split(',', MAX_ASKED)
  return names.map((name) => name.trim().toLowerCase()).filter((name) => SAFE_NAME.test(name))
}

function refused(origin: string): LbError {
  return new LbError(`pages of ${JSON.stringify(origin.slice(0, 200))} may not ask this gateway`, {
    code: 'LB_ORIGIN_REFUSED',
    source: 'client',
    httpStatus: 403,
    hint: 'gateway.cors.origins lists those that may',
  })
}
