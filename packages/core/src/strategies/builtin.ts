import type { StrategyPlugin } from '../contracts/index.js'
import { adaptive } from './adaptive.js'
import { latency } from './latency.js'
import { cacheAware } from './cache-aware.js'
import { ipHash } from './ip-hash.js'
import { kvCost } from './kv-cost.js'
import { leastRequests } from './least-requests.js'
import { leastTokens } from './least-tokens.js'
import { lmetric } from './lmetric.js'
import { marginalCost } from './marginal-cost.js'
import { minTtft } from './min-ttft.js'
import { peakEwma } from './peak-ewma.js'
import { predictedLatency } from './predicted/predicted-latency.js'
import { slo } from './predicted/slo.js'
import { prefixHash } from './prefix-hash.js'
import { prequal } from './prequal.js'
import { providerScore } from './provider/provider-score.js'
import { pushWhenIdle } from './push-when-idle.js'
import { random, weightedRandom } from './random.js'
import { roundRobin } from './round-robin.js'
import { scored } from './scored/scored.js'
import { session } from './session.js'
import { sticky } from './sticky.js'
import { twoChoices } from './two-choices.js'

/** What a pool uses when its topology names none. */
export const defaultStrategyName = 'adaptive'

/** The strategies that come with core; plugins add theirs through the registry. */
export const builtinStrategies: readonly StrategyPlugin[] = [
  adaptive,
  random,
  weightedRandom,
  roundRobin,
  leastRequests,
  leastTokens,
  twoChoices,
  lmetric,
  marginalCost,
  cacheAware,
  session,
  prefixHash,
  sticky,
  ipHash,
  minTtft,
  kvCost,
  latency,
  peakEwma,
  prequal,
  pushWhenIdle,
  scored,
  predictedLatency,
  slo,
  providerScore,
]
