import type { LbError } from '../errors/index.js'

/** The `type` that OpenAI clients know for a status. */
function typeOf(status: number): string {
  if (status === 401) return 'authentication_error'
  if (status === 404) return 'not_found_error'
  if (status === 429) return 'rate_limit_error'
  return status >= 500 ? 'server_error' : 'invalid_request_error'
}

/** The OpenAI shape of an error, with a stable code. */
export function errorBody(error: LbError, requestId: string): string {
  const message = error.hint === undefined ? error.message : `${error.message} (${error.hint})`
  return JSON.stringify({ error: { message, type: typeOf(error.httpStatus), param: null, code: error.code, request_id: requestId } })
}

/** The event that ends a begun stream honestly: official clients raise it as an error. No `[DONE]` follows. */
export function errorEvent(error: LbError, requestId: string): string {
  return `data: ${errorBody(error, requestId)}\n\n`
}
