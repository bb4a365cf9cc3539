import type { StrategyPlugin } from '../contracts/index.js'
import { latency } from './latency.js'
import { cacheAware } from './cache-aware.js'
import { leastRequests } from './least-requests.js'
import { leastTokens } from './least-tokens.js'
import { lmetric } from './lmetric.js'
import { marginalCost } from './marginal-cost.js'
import { peakEwma } from './peak-ewma.js'
import { prequal } from './prequal.js'
import { pushWhenIdle } from './push-when-idle.js'
import { roundRobin } from './round-robin.js'
import { twoChoices } from './two-choices.js'

/** What a pool uses when its topology names none: prompts differ a thousandfold in work, so tokens say more than requests. */
export const defaultStrategyName = 'least-tokens'

/** The strategies that come with core; plugins add theirs through the registry. */
export const builtinStrategies: readonly StrategyPlugin[] = [
  roundRobin,
  leastRequests,
  leastTokens,
  twoChoices,
  lmetric,
  marginalCost,
  cacheAware,
  latency,
  peakEwma,
  prequal,
  pushWhenIdle,
]
