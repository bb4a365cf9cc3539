import type { JsonSchema } from '../contracts/index.js'
import { engineCostProperties, engineCosts, type EngineCosts, type EngineCostSettings } from './engine-costs.js'
import { numberSetting, settingsSchema } from './settings.js'

/** Weights of the marginal cost. Those without a unit multiply a time. */
export interface MarginalWeights {
  readonly promised: number
  readonly ownAnswer: number
  readonly batch: number
  readonly queue: number
  readonly lostWork: number
  readonly lostWhenSaturated: number
  readonly others: number
  readonly fullMemory: number
  readonly fullBatch: number
  readonly tokensPerPeer: number
  readonly maxBatchedTokens: number
  readonly maxSeqs: number
  readonly kvTokens: number
  readonly silentAfterMs: number
  readonly silentAtMost: number
}

export type MarginalSettings = EngineCostSettings & Partial<MarginalWeights>

/** All numbers of the formula. */
export interface MarginalNumbers extends MarginalWeights {
  readonly costs: EngineCosts
}

const weights: { readonly [Name in keyof MarginalWeights]: JsonSchema & { readonly default: number } } = {
  promised: weight(
    { from: 0, to: 1, or: 1 },
    'How far a block counts as cached that a request sent before is about to compute: 0 not, 1 as if it were there.',
  ),
  ownAnswer: weight({ from: 0, to: 10, or: 0.2 }, "Weight of the time that the request's own answer takes."),
  batch: weight({ from: 0, to: 20, or: 1.5 }, 'Weight of the delay that its prefill puts on each request beside it.'),
  queue: weight({ from: 0, to: 20, or: 1 }, 'Weight of the prefill ahead, for each request beside it.'),
  lostWork: weight({ from: 0, to: 50, or: 3 }, 'Weight of prefill that another node would have spared: how much it holds to the cache.'),
  lostWhenSaturated: weight({ from: 0, to: 50, or: 4 }, 'The same, more the longer the queues are; for each request in flight on a node.'),
  others: weight({ from: 0, to: 10, or: 0.3 }, 'Weight of the time that its answer adds to the steps of the others.'),
  fullMemory: weight({ from: 0, to: 1000, or: 10 }, "Weight of a node's memory over 90 % full."),
  fullBatch: weight({ from: 0, to: 1000, or: 5 }, 'Weight of requests over `maxSeqs`.'),
  tokensPerPeer: weight({ from: 100, to: 1e7, or: 20_000 }, 'So many tokens in memory slow a step as much as one request more.'),
  maxBatchedTokens: weight({ from: 16, to: 1e6, or: 2048 }, 'Tokens that the engine computes in one step.'),
  maxSeqs: weight({ from: 1, to: 1e5, or: 256 }, 'Requests that the engine works on at once.'),
  kvTokens: weight({ from: 1000, to: 1e9, or: 412_000 }, 'Tokens that fit into the memory of a node that does not say itself.'),
  silentAfterMs: weight(
    { from: 100, to: 600_000, or: 1000 },
    'A node that owes tokens and gives none for so long is avoided, the more the longer.',
  ),
  silentAtMost: weight({ from: 1, to: 1000, or: 20 }, 'What the cost of a silent node is multiplied by at most.'),
}

function weight(
  range: { readonly from: number; readonly to: number; readonly or: number },
  description: string,
): JsonSchema & { readonly default: number } {
  return { ...numberSetting(range, description), default: range.or }
}

/** Constants and weights as settings, some weights with a default of their own. */
export function marginalProperties(own: Partial<MarginalWeights> = {}): Readonly<Record<string, JsonSchema>> {
  const replaced = Object.entries(own).map(([name, value]) => [name, { ...weights[name as keyof MarginalWeights], default: value }])
  return { ...engineCostProperties, ...weights, ...Object.fromEntries(replaced) }
}

export const marginalSettings = settingsSchema(marginalProperties())

const byDefault = Object.fromEntries(Object.entries(weights).map(([name, schema]) => [name, schema.default])) as unknown as MarginalWeights

/** Settings with everything that they leave out. */
export function marginalNumbers(settings: MarginalSettings): MarginalNumbers {
  return { ...byDefault, ...settings, costs: engineCosts(settings) }
}
