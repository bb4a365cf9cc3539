import { seededRandom, type RandomSource } from '@plimsoll/core/routing'

/** A random stream of its own for each purpose, so that drawing more of one thing changes nothing else. */
export function streamOf(seed: number, purpose: string): RandomSource {
  let mixed = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.floor(seed / 4_294_967_296)
  for (let at = 0; at < purpose.length; at++) mixed = Math.imul(mixed ^ purpose.charCodeAt(at), 0x01000193) ^ (mixed >>> 15)
  return seededRandom(mixed)
}

/** Whole numbers of tokens or milliseconds: lognormal with this mean and this ratio of standard deviation to mean, cut at the ends. */
export interface Spread {
  readonly mean: number
  readonly cv: number
  readonly min?: number
  readonly max?: number
}

export function drawSpread(random: RandomSource, { mean, cv, min = 1, max = Infinity }: Spread): number {
  const variance = Math.log(1 + cv * cv)
  const drawn = Math.exp(Math.log(mean) - variance / 2 + Math.sqrt(variance) * normal(random))
  return Math.min(max, Math.max(min, Math.round(drawn)))
}

/** Mean 1. */
export function exponential(random: RandomSource): number {
  return -Math.log(1 - random.next())
}

/** Mean 1, with this coefficient of variation. By Marsaglia and Tsang, "A simple method for generating gamma variables" (2000). */
export function gamma(random: RandomSource, cv: number): number {
  const shape = 1 / (cv * cv)
  const boost = shape < 1 ? (1 - random.next()) ** (1 / shape) : 1
  const d = (shape < 1 ? shape + 1 : shape) - 1 / 3
  const c = 1 / Math.sqrt(9 * d)
  for (;;) {
    const x = normal(random)
    const v = (1 + c * x) ** 3
    if (v <= 0) continue
    if (Math.log(1 - random.next()) < (x * x) / 2 + d - d * v + d * Math.log(v)) return (boost * d * v) / shape
  }
}

/** Positions 0 to count - 1; the weight of the i-th is 1 / (i + 1) ** skew. */
export function zipf(count: number, skew: number): (random: RandomSource) => number {
  const upTo = new Float64Array(count)
  let sum = 0
  for (let at = 0; at < count; at++) upTo[at] = sum += (at + 1) ** -skew
  return (random) => firstOver(upTo, random.next() * sum)
}

/** Whole, both ends included. */
export function between(random: RandomSource, low: number, high: number): number {
  return low + Math.floor(random.next() * (high - low + 1))
}

/** Even on a logarithmic scale. */
export function logBetween(random: RandomSource, low: number, high: number): number {
  return low * (high / low) ** random.next()
}

/** Standard normal. */
function normal(random: RandomSource): number {
  return Math.sqrt(2 * exponential(random)) * Math.cos(2 * Math.PI * random.next())
}

function firstOver(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? 0) > value) high = middle
    else low = middle + 1
  }
  return low
}
