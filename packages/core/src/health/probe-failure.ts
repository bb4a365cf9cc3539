import { messageOf } from '../errors/index.js'

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'does not answer (connection refused)',
  ENOTFOUND: 'its host name is not known',
  EAI_AGAIN: 'its host name cannot be looked up right now',
  EHOSTUNREACH: 'its host cannot be reached',
  ENETUNREACH: 'its network cannot be reached',
  ETIMEDOUT: 'does not answer (connecting timed out)',
  ECONNRESET: 'closed the connection of a probe',
}

const NOT_HTTP = 'answers, but not in HTTP; the URL of a server with TLS begins with https://'
const NOT_TLS = 'answers, but not in TLS; the URL of a server without it begins with http://'

/** Why a probe brought nothing, in words for people. */
export function probeFailure(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown }
  if (typeof code !== 'string') return messageOf(error)
  if (code === 'HPE_INVALID_CONSTANT' || code === 'HPE_INVALID_VERSION') return NOT_HTTP
  if (code.startsWith('HPE_')) return `answers in broken HTTP (${messageOf(error).replace(/^Parse Error: /, '')})`
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) return NOT_TLS
  return WORDS[code] ?? messageOf(error)
}
