import type { RandomSource } from '../../base/index.js'

export interface PauseLimits {
  readonly firstMs: number
  readonly longestMs: number
}

/** Doubled so often, the first pause is longer than any longest. */
const MOST_DOUBLINGS = 30

/**
 * The pause before the nodes are asked once more, the `round`th time (from 0): full jitter, so that requests that failed together do not come back together. A
 * Retry-After is waited out first, as far as the longest pause goes.
 */
export function pauseMs(random: RandomSource, round: number, { firstMs, longestMs }: PauseLimits, retryAfterMs = 0): number {
  const most = Math.min(longestMs, firstMs * 2 ** Math.min(round, MOST_DOUBLINGS))
  return Math.min(longestMs, retryAfterMs) + random.next() * most
}

/** A `Retry-After` in milliseconds: seconds or a date (RFC 9110, 10.2.3); undefined where it is neither, or over. */
export function retryAfterMs(header: string | undefined, epochMs: number): number | undefined {
  if (header === undefined) return undefined
  const ms = /^\s*[0-9]+(?:\.[0-9]+)?\s*$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - epochMs
  return Number.isFinite(ms) && ms > 0 ? ms : undefined
}
