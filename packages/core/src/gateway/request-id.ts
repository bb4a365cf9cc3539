import { randomFillSync } from 'node:crypto'

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
  let id = timeText(Math.floor(epochMs))
  for (let index = 0; index < RANDOM_CHARS; index += 1) id += ALPHABET[nextRandomByte() % 32] ?? '0'
  return id
}

let timeMs = -1
let time = ''

/** Made once a millisecond. */
function timeText(epochMs: number): string {
  if (epochMs === timeMs) return time
  let text = ''
  for (let rest = epochMs, index = 0; index < TIME_CHARS; index += 1, rest = Math.floor(rest / 32))
    text = `${ALPHABET[rest % 32] ?? '0'}${text}`
  timeMs = epochMs
  time = `req_${text}`
  return time
}

/** Drawn from the system in one go: a call for eight bytes costs as much as one for a page. */
const chance = new Uint8Array(4_096)
let used = chance.byteLength

function nextRandomByte(): number {
  if (used === chance.byteLength) {
    randomFillSync(chance)
    used = 0
  }
  return chance[used++] ?? 0
}
