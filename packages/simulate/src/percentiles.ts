/** Percentiles of one measure, in its unit; 0 where nothing was measured. */
export interface Percentiles {
  readonly mean: number
  readonly p50: number
  readonly p90: number
  readonly p95: number
  readonly p99: number
}

/** Between the two nearest ranks, linearly. Sorts the values in place. */
export function percentilesOf(values: Float64Array): Percentiles {
  values.sort()
  const at = (share: number): number => {
    const place = share * (values.length - 1)
    const below = values[Math.floor(place)] ?? 0
    const above = values[Math.ceil(place)] ?? below
    return rounded(below + (place - Math.floor(place)) * (above - below))
  }
  let sum = 0
  for (const value of values) sum += value
  return { mean: rounded(values.length === 0 ? 0 : sum / values.length), p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99) }
}

/** Microseconds are as far as a result reaches: digits behind them are the order of additions. */
export function rounded(value: number): number {
  return Math.round(value * 1000) / 1000
}
