import type { NamedShape } from './workloads/shapes.js'

/** Workloads of the races: kept as they are, whatever becomes of those that people simulate with. Sessions are for 8 nodes. */
export const raceShapes = {
  agents: {
    summary: '40 tool prompts of 5k tokens, 2 to 6 steps each',
    profile: '8b-h100',
    sessionsPerSecond: 11.5,
    shape: {
      heads: { count: 40, skew: 1, tokens: { mean: 5000, cv: 0.2 } },
      turns: { kind: 'uniform', min: 2, max: 6, mean: 4 },
      firstTokens: { mean: 500, cv: 0.8 },
      laterTokens: { mean: 1880, cv: 1, max: 16_000 },
      answerTokens: { mean: 182, cv: 0.8, max: 2000 },
      thinkMs: { mean: 1500, cv: 1 },
      arrivals: { cv: 1 },
    },
  },
  talks: {
    summary: 'conversations of 5 turns, the answer is part of the next prompt',
    profile: '8b-a100',
    sessionsPerSecond: 36,
    shape: {
      heads: { count: 10, skew: 1, tokens: { mean: 300, cv: 0.5 } },
      turns: { kind: 'geometric', min: 1, max: 20, mean: 5 },
      firstTokens: { mean: 200, cv: 1.5, max: 8000 },
      laterTokens: { mean: 110, cv: 1.2, max: 4000 },
      answerTokens: { mean: 170, cv: 0.9, max: 2000 },
      thinkMs: { mean: 10_000, cv: 1 },
      arrivals: { cv: 1 },
    },
  },
  tenants: {
    summary: '200 system prompts of 2k tokens, single questions',
    profile: '8b-a100',
    sessionsPerSecond: 68,
    shape: {
      heads: { count: 200, skew: 1, tokens: { mean: 2000, cv: 0.3 } },
      turns: { kind: 'uniform', min: 1, max: 1, mean: 1 },
      firstTokens: { mean: 450, cv: 1, max: 8000 },
      laterTokens: { mean: 1, cv: 0 },
      answerTokens: { mean: 240, cv: 0.8, max: 2000 },
      thinkMs: { mean: 1, cv: 0 },
      arrivals: { cv: 1 },
    },
  },
  bursts: {
    summary: 'gaps of CV 2, phases with three times the load, prompts that share little',
    profile: '8b-a100',
    sessionsPerSecond: 55,
    shape: {
      heads: { count: 100, skew: 0.8, tokens: { mean: 800, cv: 0.4 } },
      turns: { kind: 'uniform', min: 1, max: 1, mean: 1 },
      firstTokens: { mean: 600, cv: 1, max: 8000 },
      laterTokens: { mean: 1, cv: 0 },
      answerTokens: { mean: 240, cv: 0.8, max: 2000 },
      thinkMs: { mean: 1, cv: 0 },
      arrivals: { cv: 2, phases: { ratio: 3, meanMs: 20_000 } },
    },
  },
} as const satisfies Record<string, NamedShape>
