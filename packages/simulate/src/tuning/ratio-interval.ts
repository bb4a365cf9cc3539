/** A ratio with what it may as well be by chance. */
export interface RatioInterval {
  /** Geometric mean of the pairs' ratios. */
  readonly ratio: number
  /** 95 % interval. */
  readonly low: number
  readonly high: number
}

/** Two-sided 95 % points of Student's t for 1, 2, ... degrees of freedom; beyond the last the normal distribution's. */
const STUDENT = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11, 2.101, 2.093, 2.086,
  2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
] as const
const NORMAL = 1.96

/** Of paired runs: how many times the first figure is the second one. With one pair nothing is known of chance: the interval is everything. */
export function ratioInterval(pairs: readonly (readonly [value: number, of: number])[]): RatioInterval {
  const logs = pairs.map(([value, of]) => Math.log(Math.max(value, Number.MIN_VALUE) / Math.max(of, Number.MIN_VALUE)))
  const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length
  if (logs.length < 2) return { ratio: Math.exp(mean), low: 0, high: Infinity }
  const variance = logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / (logs.length - 1)
  const half = (STUDENT[logs.length - 2] ?? NORMAL) * Math.sqrt(variance / logs.length)
  return { ratio: Math.exp(mean), low: Math.exp(mean - half), high: Math.exp(mean + half) }
}
