import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { seededRandom, type RandomSource } from '@plimsoll/core/routing'
import { openSource, type Workload, type WorkloadRequest } from '@plimsoll/simulate'

/** Requests of one day, in order of time. */
export interface Day {
  readonly name: string
  readonly atMs: Float64Array
  readonly promptTokens: Int32Array
  readonly outputTokens: Int32Array
}

export interface DayOptions {
  readonly category: string
  /** Of the users: below 1 some of them stay away, which also makes their bursts milder. */
  readonly share: number
  readonly seed: number
  /** Of the day, in hours. */
  readonly from?: number
  readonly to?: number
}

interface Rate {
  readonly windowMs: number
  readonly perSecond: number
  readonly cv: number
  readonly isWeibull: boolean
}

const WINDOW_MS = 600_000
const HOUR_MS = 3_600_000

/**
 * Arrivals of each client by its own rate and burstiness in each window of ten minutes; lengths drawn from the conversations of Azure. Every client sends as
 * many in a window as it really did, times the share.
 */
export function readDay(file: string, { category, share, seed, from = 0, to = 24 }: DayOptions): Day {
  const times: number[] = []
  for (const rate of ratesIn(file, category)) {
    if (rate.windowMs < from * HOUR_MS || rate.windowMs >= to * HOUR_MS) continue
    const random = seededRandom(seed * 1_000_003 + times.length)
    for (let left = share; left > 0; left -= 1) addArrivals(times, { ...thinned(rate, Math.min(1, left)), random })
  }
  const atMs = Float64Array.from(times).sort()
  const lengths = conversations()
  const random = seededRandom(seed)
  const drawn = Int32Array.from(atMs, () => Math.floor(random.next() * lengths.length))
  const lengthsOf = (pick: (one: WorkloadRequest) => number): Int32Array => drawn.map((at) => pick(lengths[at] as WorkloadRequest))
  return {
    name: `${category} x${share}`,
    atMs: atMs.map((time) => time - from * HOUR_MS),
    promptTokens: lengthsOf(({ prompt }) => prompt.reduce((sum, { tokens }) => sum + tokens, 0)),
    outputTokens: lengthsOf(({ outputTokens }) => outputTokens),
  }
}

/** The requests between two moments; what is `before` is sent ahead of them, at times below 0 moved up. */
export function workloadOf(day: Day, fromMs = 0, toMs = Infinity, leadMs = 0): Workload {
  const [first, last] = [indexAt(day, fromMs), indexAt(day, toMs)]
  return { name: day.name, starts: { [Symbol.iterator]: () => requestsOf(day, { first, last, fromMs, leadMs, toMs }) } }
}

interface Slice {
  readonly first: number
  readonly last: number
  readonly fromMs: number
  readonly toMs: number
  /** So much of the end of the slice is sent before its beginning too, so that nodes are not idle then. */
  readonly leadMs: number
}

function* requestsOf(day: Day, { first, last, fromMs, toMs, leadMs }: Slice): Generator<WorkloadRequest> {
  for (let at = leadMs > 0 ? indexAt(day, toMs - leadMs) : last; at < last; at++)
    yield requestAt(day, at, (day.atMs[at] ?? 0) - (toMs - leadMs), day.atMs.length)
  for (let at = first; at < last; at++) yield requestAt(day, at, (day.atMs[at] ?? 0) - fromMs + leadMs)
}

function requestAt(day: Day, at: number, atMs: number, idFrom = 0): WorkloadRequest {
  return { atMs, prompt: [{ id: idFrom + at + 1, tokens: day.promptTokens[at] ?? 1 }], outputTokens: day.outputTokens[at] ?? 1 }
}

/** The first that is not before. */
export function indexAt({ atMs }: Day, timeMs: number): number {
  let [low, high] = [0, atMs.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((atMs[middle] ?? 0) < timeMs) low = middle + 1
    else high = middle
  }
  return low
}

function ratesIn(file: string, category: string): Rate[] {
  const [head = '', ...lines] = gunzipSync(readFileSync(file)).toString('utf8').trim().split('\n')
  const columns = head.trim().split(',')
  const at = (name: string): number => columns.indexOf(name)
  return lines
    .map((line) => line.trim().split(','))
    .filter((cells) => cells[at('category')] === category)
    .map((cells) => ({
      windowMs: 1_000 * Number(cells[at('window_s')]),
      perSecond: Number(cells[at('rate_rps')]),
      cv: Number(cells[at('cv')]),
      isWeibull: cells[at('dist')] === 'Weibull',
    }))
}

/** Gaps of a renewal process of which each arrival stays with this chance. */
function thinned(rate: Rate, share: number): Rate {
  return { ...rate, perSecond: share * rate.perSecond, cv: Math.sqrt(share * rate.cv ** 2 + 1 - share) }
}

function addArrivals(times: number[], { windowMs, perSecond, cv, isWeibull, random }: Rate & { readonly random: RandomSource }): void {
  const count = Math.floor((perSecond * WINDOW_MS) / 1_000 + random.next())
  if (count === 0) return
  const draw = isWeibull ? weibull(cv) : gamma(cv)
  const ends = new Float64Array(count + 1)
  let sum = 0
  for (let at = 0; at <= count; at++) ends[at] = sum += draw(random)
  for (let at = 0; at < count; at++) times.push(windowMs + (WINDOW_MS * (ends[at] ?? 0)) / sum)
}

function exponential(random: RandomSource): number {
  return -Math.log(1 - random.next())
}

/** Marsaglia and Tsang (2000). */
function gamma(cv: number): (random: RandomSource) => number {
  const shape = 1 / (cv * cv)
  const d = (shape < 1 ? shape + 1 : shape) - 1 / 3
  const c = 1 / Math.sqrt(9 * d)
  return (random) => {
    const boost = shape < 1 ? (1 - random.next()) ** (1 / shape) : 1
    for (;;) {
      const x = Math.sqrt(2 * exponential(random)) * Math.cos(2 * Math.PI * random.next())
      const v = (1 + c * x) ** 3
      if (v > 0 && Math.log(1 - random.next()) < (x * x) / 2 + d - d * v + d * Math.log(v)) return boost * d * v
    }
  }
}

function weibull(cv: number): (random: RandomSource) => number {
  const shape = weibullShape(cv)
  return (random) => exponential(random) ** (1 / shape)
}

/** By bisection: the more even, the larger the shape. */
function weibullShape(cv: number): number {
  let [low, high] = [0.1, 20]
  for (let round = 0; round < 50; round++) {
    const middle = (low + high) / 2
    const spread = Math.exp(logGamma(1 + 2 / middle) - 2 * logGamma(1 + 1 / middle)) - 1
    if (spread > cv * cv) low = middle
    else high = middle
  }
  return low
}

/** Stirling's series, behind a shift. */
function logGamma(value: number): number {
  let [shifted, product] = [value, 1]
  while (shifted < 8) product *= shifted++
  return (
    (shifted - 0.5) * Math.log(shifted) -
    shifted +
    0.5 * Math.log(2 * Math.PI) +
    1 / (12 * shifted) -
    1 / (360 * shifted ** 3) -
    Math.log(product)
  )
}

function conversations(): readonly WorkloadRequest[] {
  return [...openSource('azure').workload({ seed: 1 }).starts]
}
