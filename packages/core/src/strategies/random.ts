import type { StrategyPlugin } from '../contracts/index.js'
import { drawByWeight } from './weighted-draw.js'
import { noSettings } from './settings.js'

/** Any node, each with the same chance. Keeps no state, so any number of balancers may do it side by side; the line that every other strategy must beat. */
export const random: StrategyPlugin = {
  name: 'random',
  summary:
    'Any node, each with the same chance, whatever its weight. For comparison, and for many balancers that know nothing of each other.',
  settings: noSettings,
  create: ({ random: source }) => ({
    pick(_facts, candidates, trace) {
      trace?.because('by chance')
      return Math.min(candidates.length - 1, Math.floor(source.next() * candidates.length))
    },
  }),
}

/** Any node, with a chance in proportion to its weight. */
export const weightedRandom: StrategyPlugin = {
  name: 'weighted-random',
  summary: 'Any node, with a chance in proportion to its weight. For unequal nodes behind many balancers that know nothing of each other.',
  settings: noSettings,
  create: ({ random: source }) => ({
    pick(_facts, candidates, trace) {
      trace?.because('by chance, in proportion to weight')
      return drawByWeight(candidates, () => true, source)
    },
  }),
}
