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
