import type { RandomSource } from '@plimsoll/core/routing'
import { presetNames, type PresetName } from '@plimsoll/engine-model'
import { roughCapacity } from './capacity.js'
import { between, logBetween, streamOf, type Spread } from './draws.js'
import { meansOf, type Shape } from './shape.js'

export interface RandomShape {
  readonly shape: Shape
  readonly profile: PresetName
  readonly sessionsPerSecond: number
  /** Of the rough capacity of 8 nodes, at rate 1. */
  readonly level: number
}

/** Machines that a fleet is made of; a laptop or none at all says nothing about strategies. */
const PROFILES = presetNames.filter((name) => name.startsWith('8b-') || name.startsWith('3b-'))
const NODES = 8
const MOST_PROMPT_TOKENS = 14_000

/**
 * A workload that nobody has tuned on: everything that a shape has is drawn, so that each seed gives another one. Few heads that many share up to thousands
 * that hardly anyone does; no heads to speak of up to 8k tokens; single questions up to long conversations; steady or in bursts; 0.7 to 1.1 of what 8 nodes
 * can do at the very most. Prompts stay below 14k tokens in the mean.
 */
export function randomShape(seed: number): RandomShape {
  const random = streamOf(seed, 'shape')
  const profile = PROFILES[between(random, 0, PROFILES.length - 1)] ?? '8b-a100'
  let shape = drawShape(random)
  while (meansOf(shape).promptTokens > MOST_PROMPT_TOKENS) shape = drawShape(random)
  const level = 0.7 + 0.4 * random.next()
  const requestsPerSecond = level * roughCapacity(shape, profile, NODES)
  return { shape, profile, sessionsPerSecond: requestsPerSecond / meansOf(shape).requestsPerSession, level }
}

function drawShape(random: RandomSource): Shape {
  const single = random.next() < 0.35
  const turnsMean = single ? 1 : logBetween(random, 1.5, 8)
  const headTokens = logBetween(random, 30, 8000)
  return {
    heads: {
      count: Math.round(logBetween(random, 3, 2000)),
      skew: 1.4 * random.next(),
      tokens: drawLengths(random, headTokens, 32_000),
      ...(random.next() < 0.3 ? { commonTokens: Math.ceil(headTokens * random.next() * 0.5) } : {}),
    },
    turns: single
      ? { kind: 'uniform', min: 1, max: 1, mean: 1 }
      : { kind: 'geometric', min: 1, max: Math.ceil(5 * turnsMean), mean: turnsMean },
    firstTokens: drawLengths(random, logBetween(random, 40, 2500), 16_000),
    laterTokens: drawLengths(random, logBetween(random, 30, 2000), 16_000),
    answerTokens: drawLengths(random, logBetween(random, 30, 500), 4000),
    thinkMs: drawLengths(random, logBetween(random, 500, 20_000), 120_000),
    arrivals: {
      cv: random.next() < 0.5 ? 1 : logBetween(random, 1, 3),
      ...(random.next() < 0.4 ? { phases: { ratio: logBetween(random, 1.5, 4), meanMs: logBetween(random, 5000, 40_000) } } : {}),
    },
  }
}

function drawLengths(random: RandomSource, mean: number, max: number): Spread {
  return { mean, cv: 0.2 + 1.1 * random.next(), max }
}
