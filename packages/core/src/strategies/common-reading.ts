import type { BeliefView, Candidate } from '../contracts/index.js'

/** Not looked at more often: it changes with whole answers, and each look reads three counters of every node. */
const LOOK_EVERY_MS = 50
/** Below the first, answers read texts of their own; from the second on, nearly all that they read is common. In between, in between. */
const [LITTLE, NEARLY_ALL] = [0.55, 0.75]

/**
 * Whether answers read the same few texts: 0..1. Memory holds a beginning that many prompts have once; each answer reads it in every step. Where both
 * numbers are far apart a node's steps are as long as its answers are many, prompts hardly cost anything, and to follow the cache any further only
 * crowds a few nodes: a copy more is computed once and serves all who come after.
 */
export class CommonReading {
  private level = 0
  private lookedMs = -Infinity

  of(belief: BeliefView, candidates: readonly Candidate[], nowMs: number): number {
    if (nowMs - this.lookedMs < LOOK_EVERY_MS) return this.level
    this.lookedMs = nowMs
    let held = 0
    let read = 0
    for (const node of candidates) {
      const { inFlight, waiting, kvTokens, tokensInFlight } = belief.of(node)
      if (inFlight <= 0) continue
      held += kvTokens
      read += tokensInFlight * Math.max(0, 1 - waiting / inFlight)
    }
    const common = read > 0 ? 1 - held / read : 0
    this.level = Math.min(1, Math.max(0, (common - LITTLE) / (NEARLY_ALL - LITTLE)))
    return this.level
  }
}
