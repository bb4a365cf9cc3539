/** What a body is written in, as far as it changes how many bytes a token has. */
export type Script = 'latin' | 'code' | 'two-byte' | 'wide' | 'escaped'

const SAMPLES = 64
const QUOTE = 0x22
const BACKSLASH = 0x5c
const U = 0x75
/** Lead bytes of three and four bytes each: CJK, most of all. */
const WIDE_LEAD = 0xe0
const MULTIBYTE = 0x80
/** Of a letter's bytes in UTF-8, all are above 0x80; a body is partly JSON and partly English whatever its text is. */
const LEAST_MULTIBYTE = 0.25
const LEAST_ESCAPES = 0.05
const LEAST_SIGNS = 0.14

/** Looks at some sixty bytes, evenly spread over the body, whatever its length. */
export function scriptOf(body: Uint8Array): Script {
  const samples = Math.min(SAMPLES, body.byteLength)
  const stride = body.byteLength / Math.max(1, samples)
  let multibyte = 0
  let wide = 0
  let escapes = 0
  let signs = 0
  for (let sample = 0; sample < samples; sample += 1) {
    const at = Math.floor(sample * stride)
    const byte = body[at] ?? 0
    if (byte >= MULTIBYTE) {
      multibyte += 1
      if (isWide(body, at)) wide += 1
    } else if (isInEscape(body, at)) escapes += 1
    else if (isSign(byte)) signs += 1
  }
  if (escapes > LEAST_ESCAPES * samples) return 'escaped'
  if (multibyte > LEAST_MULTIBYTE * samples) return 2 * wide > multibyte ? 'wide' : 'two-byte'
  return signs > LEAST_SIGNS * samples ? 'code' : 'latin'
}

/** A byte of a letter of three or four bytes. */
function isWide(body: Uint8Array, from: number): boolean {
  let at = from
  while (at > 0 && from - at < 3 && ((body[at] ?? 0) & 0xc0) === MULTIBYTE) at -= 1
  return (body[at] ?? 0) >= WIDE_LEAD
}

/** One of the six bytes of `\u4f60`: how some clients write all letters but the English ones. */
function isInEscape(body: Uint8Array, from: number): boolean {
  let at = from
  while (from - at < 4 && isHexDigit(body[at] ?? 0)) at -= 1
  if (body[at] === U) at -= 1
  return body[at] === BACKSLASH && body[at + 1] === U
}

function isHexDigit(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66) || (byte >= 0x41 && byte <= 0x46)
}

/** Brackets, operators and their like; quotes and commas are JSON's own. */
function isSign(byte: number): boolean {
  if (byte === QUOTE || byte < 0x21) return false
  const isLetterOrDigit = (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a)
  return !isLetterOrDigit && byte !== 0x2c && byte !== 0x2e
}
