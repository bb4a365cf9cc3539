import type { Glyphs } from './glyphs.js'

/**
 * The newest `width` values as one sign each, a blank where there was none. The lowest value is the lowest sign, and the highest sign
 * means at least twice the lowest: a steady line stays flat instead of dramatising its noise.
 */
export function sparkline(values: readonly (number | null)[], width: number, glyphs: Glyphs): string {
  const shown = values.slice(-width)
  const known = shown.filter((value) => value !== null)
  const low = Math.min(...known)
  const span = Math.max(Math.max(...known) - low, low, Number.MIN_VALUE)
  const top = glyphs.spark.length - 1
  const sign = (value: number | null): string => (value === null ? ' ' : (glyphs.spark[Math.round(((value - low) / span) * top)] ?? ' '))
  return shown.map(sign).join('').padStart(width)
}
