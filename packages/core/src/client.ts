/**
 * `@plimsoll/core/client`: for programs that only ask a running balancer. Loads none of the balancer itself: a command that asks must not pay for it.
 */
export type { BalancerEvent, BalancerStatus, NodeModels, PoolStatus, QuarantinedStatus, Topologies, WhyJson } from './control/index.js'
export type { ScaleStatus } from './autoscale/index.js'
export type { ResidencyStatus } from './residency/index.js'
export type { JudgeFigure, JudgeReport, RevisionEntry, RolloutStatus, RolloutVerb, RolloutWish } from './rollout/index.js'
export { LbError, isLbError, messageOf } from './errors/index.js'
export { listTopologies, readState, statePaths, stateRoot, type StateFile, type StatePaths } from './state/index.js'
