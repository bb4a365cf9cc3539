import type { PresetName } from '@plimsoll/engine-model'
import type { Shape } from './shape.js'

/** A shape with a name, and the load at which 8 nodes of a profile are full. */
export interface NamedShape {
  readonly summary: string
  readonly profile: PresetName
  /** Starts of sessions at rate 1, for all 8 nodes together. */
  readonly sessionsPerSecond: number
  readonly shape: Shape
}

/**
 * The generated workloads of `design/routing.md`; rate 1 is its level 1.0. What the page does not say is chosen here, so that prompts and answers have the
 * means that it gives, and so that at rate 1 plain strategies stand to one another about as in its table.
 */
export const namedShapes = {
  /**
   * Programs that call tools. 40 Zipf tool prompts of about 5k tokens; 1 to 7 steps, each behind the result of a tool (1.2k tokens in the
   * mean, heavy tail), which takes 1 s; 9.1k tokens in and 182 out in the mean.
   */
  agent: {
    summary: 'agents: 40 tool prompts of 5k tokens, 1 to 7 steps each',
    profile: '8b-h100',
    sessionsPerSecond: 11.5,
    shape: {
      heads: { count: 40, skew: 1.08, tokens: { mean: 5000, cv: 0.2 } },
      turns: { kind: 'uniform', min: 1, max: 7, mean: 4 },
      firstTokens: { mean: 1400, cv: 0.8, max: 16_000 },
      laterTokens: { mean: 1168, cv: 0.9, max: 16_000 },
      answerTokens: { mean: 182, cv: 0.9, max: 2000 },
      thinkMs: { mean: 1000, cv: 1 },
      arrivals: { cv: 1 },
    },
  },
  /**
   * People who talk to one assistant, whose system prompt all conversations begin with; 1 to 20 turns (4.8 in the mean, geometric); an answer of 175 tokens is
   * part of the next prompt; the first question is of 240 tokens, each next one (115 tokens) comes 6.8 s after the answer.
   */
  chat: {
    summary: 'conversations: 4.8 turns each, the answer is part of the next prompt',
    profile: '8b-a100',
    sessionsPerSecond: 36,
    shape: {
      heads: { count: 1, skew: 1, tokens: { mean: 830, cv: 0 } },
      turns: { kind: 'geometric', min: 1, max: 20, mean: 4.9 },
      firstTokens: { mean: 240, cv: 1.3, max: 8000 },
      laterTokens: { mean: 115, cv: 1.3, max: 4000 },
      answerTokens: { mean: 175, cv: 0.8, max: 2000 },
      thinkMs: { mean: 6800, cv: 1 },
      arrivals: { cv: 1 },
    },
  },
  /**
   * Applications of many customers: 200 Zipf system prompts of about 2k tokens, some of them far longer than others; single questions of 310 tokens with a
   * heavy tail, answers of 170.
   */
  tenant: {
    summary: 'tenants: 200 system prompts of 2k tokens, single questions',
    profile: '8b-a100',
    sessionsPerSecond: 68,
    shape: {
      heads: { count: 200, skew: 0.92, tokens: { mean: 2160, cv: 0.65 } },
      turns: { kind: 'uniform', min: 1, max: 1, mean: 1 },
      firstTokens: { mean: 310, cv: 1.4, max: 8000 },
      laterTokens: { mean: 1, cv: 0 },
      answerTokens: { mean: 170, cv: 0.5, max: 2000 },
      thinkMs: { mean: 1, cv: 0 },
      arrivals: { cv: 1 },
    },
  },
  /** Load that comes in bursts: gaps with a coefficient of variation of 2, phases of 10 s with three times the load of the others; 120 system prompts of 900 tokens. */
  bursty: {
    summary: 'bursts: gaps of CV 2, phases with three times the load',
    profile: '8b-a100',
    sessionsPerSecond: 55,
    shape: {
      heads: { count: 120, skew: 0.8, tokens: { mean: 900, cv: 0.4 } },
      turns: { kind: 'uniform', min: 1, max: 1, mean: 1 },
      firstTokens: { mean: 900, cv: 1, max: 8000 },
      laterTokens: { mean: 1, cv: 0 },
      answerTokens: { mean: 200, cv: 0.8, max: 2000 },
      thinkMs: { mean: 1, cv: 0 },
      arrivals: { cv: 2, phases: { ratio: 3, meanMs: 10_000 } },
    },
  },
} as const satisfies Record<string, NamedShape>
