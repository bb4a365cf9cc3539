/**
 * That there are as many replicas as the load wants. Refuses to know how nodes are launched or requests routed: it says which replicas a group has.
 * Read first: scale-status.ts, policy/index.ts; then autoscaler.ts and scaled-group.ts.
 */
export { Autoscaler } from './autoscaler.js'
export type { ScaleStatus } from './scale-status.js'
export type { ScaleDesk } from './scale-desk.js'
export type { ScaleWorld } from './scale-world.js'
export { ScaleMemory, wantedReplicas, workOf, type ScaleAnswer, type ScaleFacts } from './policy/index.js'
