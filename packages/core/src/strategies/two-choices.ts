import type { JsonSchema, StrategyPlugin } from '../contracts/index.js'
import { requestLoad, tokenLoad } from './load.js'

interface TwoChoicesSettings {
  readonly measure?: 'tokens' | 'requests'
}

const settings: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    measure: {
      enum: ['tokens', 'requests'],
      default: 'tokens',
      description: 'What counts as load: tokens in flight, or requests in flight.',
    },
  },
}

/**
 * Two different nodes by chance, then the less loaded of them (Mitzenmacher, "The Power of Two Choices in Randomized Load
 * Balancing", 2001). The fullest node stays close to the average, and several balancers in front of the same nodes do not
 * all rush to the one that looked idle.
 */
export const twoChoices: StrategyPlugin<TwoChoicesSettings> = {
  name: 'two-choices',
  summary:
    'Draws two nodes by chance and takes the less loaded. Good when several balancers share the nodes: they do not rush to the same one.',
  settings,
  create({ settings, belief, random }) {
    const load = settings.measure === 'requests' ? requestLoad(belief) : tokenLoad(belief)
    return {
      pick(facts, candidates) {
        const first = Math.floor(random.next() * candidates.length)
        const other = (first + 1 + Math.floor(random.next() * (candidates.length - 1))) % candidates.length
        const [one, two] = [candidates[first], candidates[other]]
        if (one === undefined || two === undefined) return first
        return load(facts, two) < load(facts, one) ? other : first
      },
    }
  },
}
