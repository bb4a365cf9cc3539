import { wrongInput } from '../wrong-input.js'

const USUAL_POINTS = 4
const MOST_POINTS = 50
const HINT = '--rate takes 1.2, a list 0.6,0.9,1.2 or a range 0.6..1.2, which is four rates; 0.6..1.2/7 is seven'

/** `1.2`, `0.6,0.9`, `0.6..1.2`, `0.6..1.2/7` as numbers over 0, in the order that was typed. Throws LB_WRONG_INPUT. */
export function parseRates(text: string): number[] {
  const rates = text.split(',').flatMap((part) => (part.includes('..') ? range(part, text) : [rate(part, text)]))
  if (rates.length > MOST_POINTS) throw wrongInput(`--rate ${text} are ${rates.length} rates; ${MOST_POINTS} is the most`, HINT)
  return [...new Set(rates)]
}

function range(part: string, whole: string): number[] {
  const [, low = '', high = '', points] = /^([^/]*?)\.\.([^/]*)(?:\/(\d{1,3}))?$/.exec(part) ?? []
  if (low === '' || high === '') throw wrongInput(`--rate ${whole}: ${part} is no range`, HINT)
  const [from, to] = [rate(low, whole), rate(high, whole)]
  const count = points === undefined ? USUAL_POINTS : Number(points)
  if (count < 2 || to <= from) throw wrongInput(`--rate ${whole}: ${part} is no range`, HINT)
  return Array.from({ length: count }, (_, at) => Number((from + ((to - from) * at) / (count - 1)).toPrecision(6)))
}

function rate(part: string, whole: string): number {
  const value = part.trim() === '' ? Number.NaN : Number(part)
  if (value > 0 && value < 1e6) return value
  throw wrongInput(`--rate ${whole}: "${part}" is no number over 0`, HINT)
}
