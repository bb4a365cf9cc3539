import { MAX_HEAD_BYTES } from './llhttp.js'
import type { HeadRefusal } from './request-head.js'

export const LATE_HEAD: HeadRefusal = { status: 408, code: 'LB_SLOW_HEAD', message: 'the request head did not come in time' }
export const TOO_LARGE_HEAD: HeadRefusal = {
  status: 431,
  code: 'LB_HEAD_TOO_LARGE',
  message: `the request head is over ${MAX_HEAD_BYTES / 1024} KiB`,
}

/** What to say of a head that the parser does not take. */
export function refusalOf(bytes: Buffer, why: string): HeadRefusal {
  if (why.startsWith('more than')) return { status: 431, code: 'LB_HEAD_TOO_LARGE', message: why }
  if (bytes[0] === 0x16 && bytes[1] === 0x03)
    return { status: 400, code: 'LB_BAD_REQUEST', message: 'this port speaks plain HTTP, not TLS' }
  if (why === 'Invalid HTTP version' || bytes.toString('latin1', 0, 4) === 'PRI ')
    return { status: 505, code: 'LB_BAD_REQUEST', message: 'lb speaks HTTP/1.1 (and 1.0), not HTTP/2' }
  return { status: 400, code: 'LB_BAD_REQUEST', message: `not a request of HTTP/1.1: ${why}` }
}
