import { enginePresets, type PresetName } from '@plimsoll/engine-model'
import { meansOf, type Shape } from './shape.js'

/** Of all caches together, what heads may fill: the rest goes to what is being answered, and to heads that more than one node holds. */
const HEADS_SHARE = 0.5

/**
 * Requests per second that so many nodes could serve at the very most, if every shared token that fits into their caches were found there: a rough figure,
 * good enough to say "about so much load", never a promise. From the five constants of a step: each request costs its own prefill, its own share of each step that it
 * decodes in, and a part of the step's base, which as many requests share as fit into the KV cache.
 */
export function roughCapacity(shape: Shape, profile: PresetName, nodes: number): number {
  const costs = enginePresets[profile]
  const { promptTokens, answerTokens, newTokens: ownTokens } = meansOf(shape)
  const newTokens = ownTokens + shape.heads.tokens.mean * missedHeads(shape, nodes * costs.kvTokens)
  const prefillMs = costs.prefillTokenMs * newTokens + costs.attentionPairMs * newTokens * (promptTokens - newTokens / 2)
  const contextTokens = promptTokens + answerTokens / 2
  const decodeMs = answerTokens * (costs.decodeSequenceMs + costs.kvTokenMs * contextTokens)
  const batch = Math.max(1, Math.min(costs.maxNumSeqs, costs.kvTokens / contextTokens))
  return (nodes * 1000) / (prefillMs + decodeMs + (answerTokens * costs.baseMs) / batch)
}

/** Share of the uses of heads that fall on those which the caches have no room for, if they hold the ones that are used most. */
function missedHeads({ heads }: Shape, cacheTokens: number): number {
  const kept = Math.floor((HEADS_SHARE * cacheTokens) / heads.tokens.mean)
  const uses = Array.from({ length: heads.count }, (_, at) => (at + 1) ** -heads.skew)
  const sum = (weights: readonly number[]): number => weights.reduce((total, weight) => total + weight, 0)
  return sum(uses.slice(kept)) / sum(uses)
}
