import type { StrategyPlugin } from '../contracts/index.js'
import { lowest, tokenLoad } from './load.js'
import { noSettings } from './settings.js'

/** The node with the fewest tokens in flight per unit of weight: a 30,000-token prompt counts as what it is, not as one request. */
export const leastTokens: StrategyPlugin = {
  name: 'least-tokens',
  summary:
    'The node with the fewest tokens in flight for its weight, prompt and expected answer. Prompts differ in work far more than in number.',
  settings: noSettings,
  create({ belief, random }) {
    const load = tokenLoad(belief)
    return { pick: (facts, candidates) => lowest(candidates, (node) => load(facts, node), random) }
  },
}
