/** `@plimsoll/core`: the balancer as a library. Importing it starts nothing. */
export * from './contracts/index.js'
export { LbError, isLbError, messageOf } from './errors/index.js'
export type { BalancerEvent, BalancerState, BalancerStatus, NodeStatus, PoolStatus, Quantiles, StopRequest } from './control/index.js'
