/** Medians and the middle nine tenths. */

/** @typedef {{ median: number, low: number, high: number, rounds: number }} Summary */

/**
 * @param {readonly number[]} values
 * @returns {Summary}
 */
export function summaryOf(values) {
  const sorted = values.toSorted((a, b) => a - b)
  return { median: quantile(sorted, 0.5), low: quantile(sorted, 0.05), high: quantile(sorted, 0.95), rounds: sorted.length }
}

/**
 * @param {readonly number[]} sorted
 * @param {number} share
 */
function quantile(sorted, share) {
  const at = (sorted.length - 1) * share
  const below = sorted[Math.floor(at)] ?? Number.NaN
  const above = sorted[Math.ceil(at)] ?? Number.NaN
  return below + (above - below) * (at - Math.floor(at))
}
