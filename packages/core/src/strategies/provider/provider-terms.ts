import type { Candidate, RequestFacts } from '../../contracts/index.js'
import type { ProviderFigures } from './minute-ring.js'

/** How much each view counts. */
export interface ProviderWeights {
  readonly price: number
  readonly uptime: number
  readonly throughput: number
  /** For streams alone. */
  readonly latency: number
}

/** Parts of a score; they add up to it, and the lowest wins. Each of the first four is a distance from the best candidate, 0 = the best. */
export interface ProviderTerms {
  readonly price: number
  readonly uptime: number
  readonly throughput: number
  readonly latency: number
  readonly priority: number
  readonly penalty: number
}

/** One candidate with what is known of it. */
export interface ProviderView {
  readonly node: Candidate
  readonly figures: ProviderFigures
}

/** No view alone counts for more than a provider so many times worse than the best. */
const LARGEST_RATIO = 10
const GOOD_UPTIME_PERCENT = 95
/** A provider of which nothing is known has not failed. */
const UNKNOWN_UPTIME_PERCENT = 100

/** What an uptime below 95 % adds to a score: ((95 - u) / 95 x 5)^2, .07 at 90 %, 5.61 at 50 %, 25 at 0. */
export function uptimePenalty(uptimePercent: number): number {
  return uptimePercent >= GOOD_UPTIME_PERCENT ? 0 : (((GOOD_UPTIME_PERCENT - uptimePercent) / GOOD_UPTIME_PERCENT) * 5) ** 2
}

export function uptimeOf({ uptimePercent }: ProviderFigures): number {
  return Number.isNaN(uptimePercent) ? UNKNOWN_UPTIME_PERCENT : uptimePercent
}

/**
 * The scores of all candidates, in parts: sum of weight / all weights x ratio, with the priority (a node's weight against the heaviest) and the penalty. Ratios as LLMGateway
 * publishes them: price p / min - 1, uptime and throughput max / own - 1, latency own / min - 1, cut at 10. What is unknown of a candidate counts as the mean of the others.
 */
export function termsOfAll(views: readonly ProviderView[], facts: RequestFacts, weights: ProviderWeights): ProviderTerms[] {
  const latencyWeight = facts.stream ? weights.latency : 0
  const whole = weights.price + weights.uptime + weights.throughput + latencyWeight || 1
  const price = ratios(views.map(({ node }) => priceOf(node, facts)))
  const uptime = ratios(views.map(({ figures }) => 1 / Math.max(1, uptimeOf(figures))))
  const throughput = ratios(views.map(({ figures }) => 1 / figures.tokensPerSecond))
  const latency = ratios(views.map(({ figures }) => figures.ttftMs))
  const heaviest = Math.max(...views.map(({ node }) => node.weight))
  return views.map(({ node, figures }, position) => ({
    price: (weights.price / whole) * (price[position] ?? 0),
    uptime: (weights.uptime / whole) * (uptime[position] ?? 0),
    throughput: (weights.throughput / whole) * (throughput[position] ?? 0),
    latency: (latencyWeight / whole) * (latency[position] ?? 0),
    priority: 1 - node.weight / heaviest,
    penalty: uptimePenalty(uptimeOf(figures)),
  }))
}

export function scoreOf({ price, uptime, throughput, latency, priority, penalty }: ProviderTerms): number {
  return price + uptime + throughput + latency + priority + penalty
}

/** Of this request, in the unit of the prices; NaN where the node has none. */
function priceOf({ price }: Candidate, { promptTokens, outputTokens }: RequestFacts): number {
  return price === undefined ? NaN : (price.promptPerMillion * promptTokens + price.outputPerMillion * outputTokens) / 1e6
}

/** How many times worse than the lowest each is, less 1; the mean of the known ones where a value is unknown. */
function ratios(values: readonly number[]): number[] {
  const known = values.filter((value) => value >= 0 && value < Infinity)
  if (known.length === 0) return values.map(() => 0)
  const least = Math.min(...known)
  const of = (value: number): number => (value === least ? 0 : Math.min(LARGEST_RATIO, value / least - 1))
  const mean = known.reduce((sum, value) => sum + of(value), 0) / known.length
  return values.map((value) => (value >= 0 && value < Infinity ? of(value) : mean))
}
