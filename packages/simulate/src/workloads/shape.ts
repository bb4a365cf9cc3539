import type { Arrivals } from './arrivals.js'
import type { Spread } from './draws.js'

/** One way in which clients use models, in numbers: what they share, how long things are, how they come back. All lengths in tokens. */
export interface Shape {
  /** Texts that many prompts begin with: tools, a system prompt, a document. */
  readonly heads: {
    readonly count: number
    /** Of Zipf: how much more often the first is used than the last; 0 = all alike. */
    readonly skew: number
    readonly tokens: Spread
    /** Stretches that all heads begin with, at most a head's length; absent = 0. */
    readonly commonTokens?: number
  }
  /** Requests of one session, one after the other's end. */
  readonly turns: { readonly min: number; readonly max: number; readonly kind: 'uniform' | 'geometric'; readonly mean: number }
  /** What the first request adds behind its head. */
  readonly firstTokens: Spread
  /** What each later one adds behind the answer before it. */
  readonly laterTokens: Spread
  readonly answerTokens: Spread
  /** From the end of an answer to the next request. */
  readonly thinkMs: Spread
  readonly arrivals: Omit<Arrivals, 'perSecond'>
}

/** What the mean request of a shape looks like. */
export interface ShapeMeans {
  readonly requestsPerSession: number
  readonly promptTokens: number
  readonly answerTokens: number
  /** Prompt tokens that no earlier prompt or answer contains. */
  readonly newTokens: number
}

export function meansOf(shape: Shape): ShapeMeans {
  const { turns, firstTokens, laterTokens, answerTokens } = shape
  const lengths = turnChances(turns)
  const turnsMean = lengths.reduce((sum, chance, at) => sum + chance * (at + 1), 0)
  // Of all requests, the mean number that went before in their session.
  const before = lengths.reduce((sum, chance, at) => sum + (chance * (at + 1) * at) / 2, 0) / turnsMean
  const newTokens = (firstTokens.mean + (turnsMean - 1) * laterTokens.mean) / turnsMean
  return {
    requestsPerSession: turnsMean,
    promptTokens: shape.heads.tokens.mean + firstTokens.mean + before * (answerTokens.mean + laterTokens.mean),
    answerTokens: answerTokens.mean,
    newTokens,
  }
}

/** Chance of 1, 2, ... turns. */
export function turnChances({ min, max, kind, mean }: Shape['turns']): number[] {
  // Geometric from `min` on; what lies beyond `max` has exactly `max`.
  const stop = 1 / (mean - min + 1)
  return Array.from({ length: max }, (_, at) => {
    const over = at + 1 - min
    if (over < 0) return 0
    if (kind === 'uniform') return 1 / (max - min + 1)
    return at + 1 === max ? (1 - stop) ** over : stop * (1 - stop) ** over
  })
}
