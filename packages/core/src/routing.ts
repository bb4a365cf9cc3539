/** `@plimsoll/core/routing`: belief, strategies and the policy of scaling alone, for virtual time. Importing it starts nothing. */
export { ScaleMemory, wantedReplicas, workOf, type ScaleAnswer, type ScaleFacts } from './autoscale/index.js'
export { seededRandom, type Clock, type RandomSource, type TimerHandle } from './base/index.js'
export * from './contracts/index.js'
export { LbError, isLbError, messageOf } from './errors/index.js'
export { createBelief, tenantOf, TokenEstimates, type Belief, type BeliefOptions } from './insight/index.js'
export { createStrategyRegistry, type StrategyRegistry } from './strategies/index.js'
export type { ScalePlan } from './topology/index.js'
