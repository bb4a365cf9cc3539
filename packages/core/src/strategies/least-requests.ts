import type { StrategyPlugin } from '../contracts/index.js'
import { lowest, requestLoad } from './load.js'
import { noSettings } from './settings.js'

/** Weighted least connections: the node with the fewest requests in flight per unit of weight. */
export const leastRequests: StrategyPlugin = {
  name: 'least-requests',
  aliases: ['least-connections'],
  summary: 'The node with the fewest requests in flight for its weight. Good when requests are alike in length.',
  settings: noSettings,
  create({ belief, random }) {
    const load = requestLoad(belief)
    return { pick: (facts, candidates) => lowest(candidates, (node) => load(facts, node), random) }
  },
}
