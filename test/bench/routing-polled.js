/** A rule that other routers ship, kept as it is there, for comparison only: weighted scores of what engines said at the last poll, and nothing newer. */

/** @typedef {import('@plimsoll/core/routing').StrategyPlugin} StrategyPlugin */
/** @typedef {import('@plimsoll/core/routing').Candidate} Candidate */

/** Prefix 3, queue 2, KV 2; the default profile of the llm-d inference scheduler (v0.8.0). */
const weights = { prefix: 3, queue: 2, kv: 2 }

/** @type {StrategyPlugin} */
export const polledScores = {
  name: 'polled-scores',
  summary: 'prefix 3, queue 2, kv 2, of polled figures',
  settings: { type: 'object', additionalProperties: false, properties: {} },
  create: ({ belief, random }) => ({
    pick(facts, candidates) {
      const { presentTokens } = belief.cachedTokens(facts, candidates)
      const waiting = candidates.map((node) => belief.of(node).load?.waiting ?? 0)
      const [most, least] = [Math.max(...waiting), Math.min(...waiting)]
      const scores = candidates.map((node, at) => {
        const prefix = (presentTokens[at] ?? 0) / facts.promptTokens
        const queue = most === least ? 1 : (most - (waiting[at] ?? 0)) / (most - least)
        return weights.prefix * prefix + weights.queue * queue + weights.kv * (1 - (belief.of(node).load?.kvUsedRatio ?? 0))
      })
      const best = Math.max(...scores)
      const equals = scores.flatMap((score, at) => (score >= best - 1e-9 ? [at] : []))
      return equals[Math.floor(random.next() * equals.length)] ?? 0
    },
  }),
}
