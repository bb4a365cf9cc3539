/** Tokens of a text: an id for each, and the offset where each ends. */
export interface Tokens {
  readonly ids: number[]
  /** UTF-16 offsets, rising; the last one is the text's length. */
  readonly ends: number[]
}

const longestToken = 6

/**
 * Cuts text into word-like tokens, about four characters each: a space belongs to the word after it, long words are cut, marks stand alone.
 * Greedy from the left, so the tokens of a text cut at a token's end are its first tokens: what the prefix cache rests on. A pair of surrogates is never cut.
 */
export function tokenise(text: string): Tokens {
  const ids: number[] = []
  const ends: number[] = []
  for (let at = 0; at < text.length;) {
    const end = tokenEnd(text, at)
    ids.push(hashOf(text, at, end))
    ends.push(end)
    at = end
  }
  return { ids, ends }
}

function tokenEnd(text: string, from: number): number {
  const word = isSpace(text.charCodeAt(from)) && from + 1 < text.length && isWord(text.charCodeAt(from + 1)) ? from + 1 : from
  let end = word
  while (end < text.length && end - word < longestToken && isWord(text.charCodeAt(end))) end++
  if (end > word) return end
  const isPair = isHighSurrogate(text.charCodeAt(from)) && isLowSurrogate(text.charCodeAt(from + 1))
  return from + (isPair ? 2 : 1)
}

/** FNV-1a over UTF-16 units: the token's id. */
function hashOf(text: string, from: number, to: number): number {
  let hash = 0x811c9dc5
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hash >>> 0
}

function isSpace(unit: number): boolean {
  return unit === 32 || unit === 10 || unit === 9 || unit === 13
}

/** Letters and digits of alphabets; ideographs stand alone as they do in real tokenisers. */
function isWord(unit: number): boolean {
  if (unit < 128) return (unit >= 97 && unit <= 122) || (unit >= 65 && unit <= 90) || (unit >= 48 && unit <= 57) || unit === 95
  return unit >= 0xc0 && unit < 0x2000
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff
}
