import type { NodeBelief, RequestFacts } from '../../contracts/index.js'

/** Numbers that describe one node with one request. */
export const FEATURES = 8

/**
 * What a node's times are predicted from, each of about the size 1: a constant, prompt tokens that must be computed, prefill tokens that wait before
 * them, requests that wait, requests that decode, tokens that these hold, prompt tokens, and prefill times resident tokens: each further step of prefill
 * takes the longer the more is decoded beside it. Written from `at` on.
 */
export function writeFeatures(features: Float64Array, at: number, belief: NodeBelief, facts: RequestFacts, cachedTokens: number): void {
  const { waiting, inFlight, prefillTokens, kvTokens } = belief
  const uncached = Math.max(1, facts.promptTokens - cachedTokens) / 1_000
  const queued = prefillTokens / 1_000
  const resident = kvTokens / 100_000
  features[at] = 1
  features[at + 1] = uncached
  features[at + 2] = queued
  features[at + 3] = waiting / 10
  features[at + 4] = Math.max(0, inFlight - waiting) / 100
  features[at + 5] = resident
  features[at + 6] = facts.promptTokens / 1_000
  features[at + 7] = (uncached + queued) * resident
}
