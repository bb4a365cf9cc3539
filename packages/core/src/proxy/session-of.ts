import { createHash } from 'node:crypto'
import type { HeaderView } from '../contracts/index.js'
import { field, type RequestScan } from '../dialects/index.js'

/** What names the conversation of a request, and where it was found. */
export interface Session {
  readonly name: string
  /** `x-session-id`, `body.user`. */
  readonly from: string
}

/** Headers that coding agents send by themselves hold a uuid; whatever else they hold is not what they mean. */
const AGENT_HEADERS = ['x-claude-code-session-id', 'session-id', 'thread-id'] as const
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const BODY_FIELDS = ['session_id', 'prompt_cache_key', 'user'] as const
/** Metadata are a few names; a large one is not parsed for the sake of one of them. */
const MOST_METADATA_BYTES = 4_096
/** A longer name is known by its digest: strategies keep names. */
const MOST_NAME_CHARS = 128

interface SessionQuestion {
  readonly headers: HeaderView
  readonly scan: RequestScan
  /** The pool's own header, read first. */
  readonly header: string | undefined
}

/** The first that is there: the pool's own header, `x-session-id`, `x-lb-session`, those of agents, then fields of the body. Never `x-request-id`, which is new each time. */
export function sessionOf({ headers, scan, header }: SessionQuestion): Session | undefined {
  if (header !== undefined && isNamed(headers[header])) return session(headers[header], header)
  if (isNamed(headers['x-session-id'])) return session(headers['x-session-id'], 'x-session-id')
  if (isNamed(headers['x-lb-session'])) return session(headers['x-lb-session'], 'x-lb-session')
  for (const name of AGENT_HEADERS) {
    const value = headers[name]
    if (value !== undefined && UUID.test(value)) return session(value, name)
  }
  return scan.delimiter === undefined ? sessionInBody(scan) : undefined
}

function sessionInBody({ body, fields }: RequestScan): Session | undefined {
  for (const name of BODY_FIELDS) {
    const value = fields.has(name) ? field(body, fields, name) : undefined
    if (isNamed(value)) return session(value, `body.${name}`)
  }
  const extent = fields.get('metadata')
  if (extent === undefined || extent.end - extent.start > MOST_METADATA_BYTES) return undefined
  const metadata = field(body, fields, 'metadata')
  const user = typeof metadata === 'object' && metadata !== null && 'user_id' in metadata ? metadata.user_id : undefined
  return isNamed(user) ? session(user, 'body.metadata.user_id') : undefined
}

function isNamed(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function session(value: string, from: string): Session {
  return { name: value.length <= MOST_NAME_CHARS ? value : createHash('sha256').update(value).digest('hex'), from }
}
