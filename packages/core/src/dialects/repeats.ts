/** Loops go on until the end: it is all that is looked at. */
const LOOKED_AT = 4_096
const LONGEST_PERIOD = 256
/** Of a period with a letter in it: so many characters, so many times. */
const WORDED = { chars: 64, times: 6 }
/** Of one without: rules, rows of zeros and the like end answers, too. */
const WORDLESS = { chars: 256, times: 16 }
const LETTER = /\p{L}/u
/** Words at the end, and at least so many of them, for a loop that is not the same to the character. */
const MOST_WORDS = 192
const LEAST_WORDS = 96
/** Of all groups of three words; a table whose rows differ in one word of twenty has more. */
const LEAST_DISTINCT = 0.15

/** Whether a text ends in the same few words, over and over. Lists, tables and code end otherwise, and JSON that can be read is no loop. */
export function isRepeating(text: string): boolean {
  const end = text.slice(-LOOKED_AT)
  return (hasPeriod(end) || hasPeriod(end.trimEnd()) || saysLittle(end)) && !isJson(text)
}

/** Of a beginning that is one loop from its first character on: sure of it. The same with letters and without; whoever is wrong here asks once more. */
const SURE_CHARS = 64
/** Shorter ones may be the beginning of anything. */
const TELLING_CHARS = 24

/** How a text begins: with nothing but the same few characters (`loop`), so far (`maybe`), otherwise (`sane`), or with too little to tell (`short`). */
export function openingOf(text: string): 'short' | 'maybe' | 'loop' | 'sane' {
  const begun = text.trim() === '' ? text : text.trimStart()
  const { length } = begun
  if (length === 0) return 'short'
  const period = shortestPeriod(begun)
  if (period * 2 > length) return length < TELLING_CHARS ? 'short' : 'sane'
  const { times } = LETTER.test(begun) ? WORDED : WORDLESS
  return length >= SURE_CHARS && length >= times * period ? 'loop' : 'maybe'
}

/** Of the whole text, the last time cut off or not; its own length where it has none. */
function shortestPeriod(text: string): number {
  const { length } = text
  const borders = new Uint16Array(length)
  for (let at = 1, border = 0; at < length; at += 1) {
    while (border > 0 && text[at] !== text[border]) border = borders[border - 1] ?? 0
    if (text[at] === text[border]) border += 1
    borders[at] = border
  }
  return length - (borders[length - 1] ?? 0)
}

function hasPeriod(text: string): boolean {
  const last = text.length - 1
  for (let period = 1; period <= LONGEST_PERIOD && period * WORDED.times <= text.length; period += 1) {
    let at = last
    while (at >= period && text.charCodeAt(at) === text.charCodeAt(at - period)) at -= 1
    const chars = last - at + period
    const { chars: least, times } = LETTER.test(text.slice(-period)) ? WORDED : WORDLESS
    if (chars >= least && chars >= times * period) return true
  }
  return false
}

/** Few groups of words, said often. */
function saysLittle(text: string): boolean {
  const words = text.split(/\s+/).filter((word) => word !== '')
  const end = words.slice(-MOST_WORDS)
  if (end.length < LEAST_WORDS || end.filter((word) => LETTER.test(word)).length < end.length / 2) return false
  const groups = end.slice(2).map((word, at) => `${end[at]} ${end[at + 1]} ${word}`)
  return new Set(groups).size < LEAST_DISTINCT * groups.length
}

export function isJson(text: string): boolean {
  try {
    return JSON.parse(text) !== undefined
  } catch {
    return false
  }
}
