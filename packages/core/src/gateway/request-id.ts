import { randomFillSync } from 'node:crypto'

const SANE = /^[A-Za-z0-9._-]{1,128}$/
const ALPHABET = Buffer.from('0123456789ABCDEFGHJKMNPQRSTVWXYZ')
const PREFIX = 'req_'
const CHANCE_AT = PREFIX.length + 10
const text = Buffer.from(PREFIX.padEnd(CHANCE_AT + 8))

/** The client's own id when it is harmless in logs and headers, else a new one that sorts by time. */
export function requestIdOf(given: string | undefined, epochMs: number): string {
  return given !== undefined && SANE.test(given) ? given : newRequestId(epochMs)
}

/** `req_` + 10 characters of time + 8 of chance, in Crockford's base 32. Of one piece: what is put together of many is kept as many, and read slowly. */
export function newRequestId(epochMs: number): string {
  writeTime(Math.floor(epochMs))
  for (let at = CHANCE_AT; at < text.byteLength; at += 1) text[at] = ALPHABET[nextRandomByte() % 32] ?? 0
  return text.toString('latin1')
}

let timeMs = -1

/** Once a millisecond. */
function writeTime(epochMs: number): void {
  if (epochMs === timeMs) return
  timeMs = epochMs
  for (let rest = epochMs, at = CHANCE_AT - 1; at >= PREFIX.length; at -= 1, rest = Math.floor(rest / 32))
    text[at] = ALPHABET[rest % 32] ?? 0
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
