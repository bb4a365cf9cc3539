import type { RandomSource } from '../../base/index.js'
import type { JsonSchema } from '../../contracts/index.js'
import { numberSetting, settingsSchema } from '../settings.js'
import type { ScoredScene } from './scorer.js'

export interface FilterSettings {
  readonly minPrefixShare?: number
  readonly explore?: number
  readonly maxWaiting?: number
  readonly maxKvUsed?: number
}

const EXPLORE = 0.01

export const filterSettings: JsonSchema = {
  ...settingsSchema({
    minPrefixShare: numberSetting({ from: 0, to: 1 }, 'Keeps nodes whose cache holds at least this share of the prompt (0.8 is usual).'),
    explore: numberSetting(
      { from: 0, to: 1, or: EXPLORE },
      'Share of requests that `minPrefixShare` lets through to all nodes, so that a hot prompt spreads.',
    ),
    maxWaiting: numberSetting({ from: 0, to: 1e6 }, 'Keeps nodes with at most so many requests that wait for their first token.'),
    maxKvUsed: numberSetting({ from: 0, to: 1 }, 'Keeps nodes whose KV cache is used up to this share at most.'),
  }),
  description: 'Which nodes are scored at all. A filter that would leave none is passed over. Default: none.',
}

/** Whether each candidate is still in the race; `left` has room for all. */
export function filterInto(left: Uint8Array, scene: ScoredScene, filters: FilterSettings, random: RandomSource): void {
  const { beliefs, match, facts } = scene
  left.fill(1, 0, scene.candidates.length)
  const { minPrefixShare, explore = EXPLORE, maxWaiting, maxKvUsed } = filters
  if (minPrefixShare !== undefined && random.next() >= explore) {
    const wanted = minPrefixShare * facts.promptTokens
    keep(left, scene, (position) => (match.presentTokens[position] ?? 0) >= wanted)
  }
  if (maxWaiting !== undefined) keep(left, scene, (position) => (beliefs[position]?.waiting ?? 0) <= maxWaiting)
  if (maxKvUsed !== undefined) keep(left, scene, (position) => (beliefs[position]?.load?.kvUsedRatio ?? 0) <= maxKvUsed)
}

function keep(left: Uint8Array, { candidates }: ScoredScene, may: (position: number) => boolean): void {
  let kept = 0
  for (let position = 0; position < candidates.length; position += 1) if (left[position] === 1 && may(position)) kept += 1
  if (kept === 0) return
  for (let position = 0; position < candidates.length; position += 1) if (!may(position)) left[position] = 0
}
