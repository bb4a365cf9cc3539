import { randomBytes } from 'node:crypto'

const SANE = /^[A-Za-z0-9._-]{1,128}$/
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const TIME_CHARS = 10
const RANDOM_CHARS = 8

/** The client's own id when it is harmless in logs and headers, else a new one that sorts by time. */
export function requestIdOf(given: string | undefined, epochMs: number): string {
  return given !== undefined && SANE.test(given) ? given : newRequestId(epochMs)
}

/** `req_` + 10 characters of time + 8 of chance, in Crockford's base 32. */
export function newRequestId(epochMs: number): string {
  let time = ''
  for (let rest = Math.floor(epochMs), index = 0; index < TIME_CHARS; index += 1, rest = Math.floor(rest / 32))
    time = `${ALPHABET[rest % 32] ?? '0'}${time}`
  let chance = ''
  for (const byte of randomBytes(RANDOM_CHARS)) chance += ALPHABET[byte % 32] ?? '0'
  return `req_${time}${chance}`
}
