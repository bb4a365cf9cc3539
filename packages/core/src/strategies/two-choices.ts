import type { RandomSource } from '../base/index.js'
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
    const drawn: TwoDrawn = { one: 0, other: 0 }
    const load = settings.measure === 'requests' ? requestLoad(belief) : tokenLoad(belief)
    return {
      pick(facts, candidates) {
        const { one, other } = drawTwo(candidates.length, random, drawn)
        const [first, second] = [candidates[one], candidates[other]]
        if (first === undefined || second === undefined) return one
        return load(facts, second) < load(facts, first) ? other : one
      },
    }
  },
}

/** Positions of two nodes; the same one twice only where there is no other. */
export interface TwoDrawn {
  one: number
  other: number
}

/** Draws two different positions, each pair with the same chance, into what is given. */
export function drawTwo(count: number, random: RandomSource, drawn: TwoDrawn): TwoDrawn {
  drawn.one = Math.floor(random.next() * count)
  drawn.other = (drawn.one + 1 + Math.floor(random.next() * (count - 1))) % count
  return drawn
}
