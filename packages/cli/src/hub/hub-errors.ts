import { LbError, messageOf } from '@plimsoll/core'
import type { HubSettings } from './hub-settings.js'

export interface Refusal {
  readonly status: number
  /** `x-error-code` of the hub. */
  readonly code: string | undefined
  /** What was asked for: a repository, or a file of it. */
  readonly what: string
  readonly repo: string
}

/** Why a hub refuses, told apart as far as it tells: a repository that may not be seen looks like one that is not there. */
export function refusalError({ status, code, what, repo }: Refusal, { endpoint, token }: HubSettings): LbError {
  const key = token === undefined ? 'set HF_TOKEN to a token that may read it' : 'the account of your HF_TOKEN does not see it'
  if (code === 'GatedRepo' || status === 403)
    return told('LB_MODEL_GATED', `${what} is gated: its owner wants terms to be accepted`, `accept them at ${endpoint}/${repo}; ${key}`)
  if (code === 'RevisionNotFound')
    return told('LB_MODEL_NOT_FOUND', `${what}: there is no such revision`, `its branches and tags: ${endpoint}/${repo}/tree/main`)
  if (code === 'EntryNotFound')
    return told('LB_MODEL_NOT_FOUND', `${what} is not in that revision`, `its files: ${endpoint}/${repo}/tree/main`)
  if (status === 401 || status === 404)
    return told('LB_MODEL_NOT_FOUND', `${what} is not at ${endpoint}, or it is private`, `look at its exact name; if it is private, ${key}`)
  if (status === 429) return told('LB_HUB_BUSY', `${endpoint} wants a pause (429)`, 'try again in some minutes; a token has higher limits')
  return told('LB_HUB_FAILED', `${endpoint} answered ${status} for ${what}`, 'try again: what was fetched is kept')
}

const NETWORK: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name cannot be looked up now',
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was cut',
  EHOSTUNREACH: 'no way leads there',
  ENETUNREACH: 'no way leads there',
  ETIMEDOUT: 'no answer came in time',
  EPIPE: 'the connection was cut',
  ERR_HTTP_CONTENT_LENGTH_MISMATCH: 'the answer ended too early',
  ESHORT: 'the answer ended too early',
}

/** The same failure may be gone in a moment. */
export function isPassing(error: unknown): boolean {
  const { name } = error as { name?: unknown }
  return codeOf(error) in NETWORK || name === 'ReadError' || name === 'TimeoutError'
}

export function networkError(error: unknown, { endpoint }: HubSettings): LbError {
  const code = codeOf(error)
  const why = NETWORK[code] ?? messageOf(error)
  const isTls = /CERT|SSL|TLS|SELF_SIGNED/.test(code)
  const hint = isTls
    ? 'a proxy that opens TLS brings its own certificate: name its file in SSL_CERT_FILE'
    : 'check the network; HTTPS_PROXY names a proxy, HF_ENDPOINT a mirror; what was fetched is kept'
  return told('LB_NO_NETWORK', `${endpoint} cannot be reached: ${why}`, hint, error)
}

/** Of a write that failed. */
export function diskError(error: unknown, folder: string): LbError {
  if (codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT')
    return told(
      'LB_NO_SPACE',
      `${folder} is full`,
      'free some space and run the same command again, which goes on where it was; HF_HOME or --to means another disk',
      error,
    )
  return told('LB_CANNOT_WRITE', `${folder} cannot be written: ${messageOf(error)}`, 'HF_HOME or --to means another folder', error)
}

export function noSpaceFor(needed: string, free: string, folder: string): LbError {
  return told(
    'LB_NO_SPACE',
    `${needed} are to be fetched, and ${folder} has room for ${free}`,
    'free some space; HF_HOME or --to means another disk',
  )
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : ''
}

function told(code: string, message: string, hint: string, cause?: unknown): LbError {
  return new LbError(message, { code, source: 'operator', hint, cause })
}
