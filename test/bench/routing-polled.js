/**
 * A rule that other routers ship, for comparison only: weighted scores of what was sent to an engine and of what it said at the last poll, and nothing
 * newer.
 */

/** @typedef {import('@plimsoll/core/routing').StrategyPlugin} StrategyPlugin */
/** @typedef {import('@plimsoll/core/routing').Candidate} Candidate */

/** Prefix 3, queue 2, KV 2; the default profile of the llm-d inference scheduler (v0.8.0). */
const weights = { prefix: 3, queue: 2, kv: 2 }
/** Requests in a queue that counts as full. The study leaves open how it makes a score of a queue; docs/guides/bench-routing.md has what else was tried. */
const FULL_QUEUE = 20

/** @type {StrategyPlugin} */
export const polledScores = {
  name: 'polled-scores',
  summary: 'prefix 3, queue 2, kv 2, of polled figures',
  settings: { type: 'object', additionalProperties: false, properties: {} },
  create: ({ belief, random }) => ({
    pick(facts, candidates) {
      const { promisedTokens } = belief.cachedTokens(facts, candidates)
      const scores = candidates.map((node, at) => {
        const { waiting = 0, kvUsedRatio = 0 } = belief.of(node).load ?? {}
        const prefix = (promisedTokens[at] ?? 0) / facts.promptTokens
        const queue = 1 - Math.min(1, waiting / FULL_QUEUE)
        return weights.prefix * prefix + weights.queue * queue + weights.kv * (1 - kvUsedRatio)
      })
      const best = Math.max(...scores)
      const equals = scores.flatMap((score, at) => (score >= best - 1e-9 ? [at] : []))
      return equals[Math.floor(random.next() * equals.length)] ?? 0
    },
  }),
}
