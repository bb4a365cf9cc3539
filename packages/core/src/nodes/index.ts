/**
 * Owns the life of nodes: launch, attach, restart, drain, stop, and the roster that shows them. Refuses to know how a node is judged or chosen.
 * Read first: transitions.ts, then node.ts and fleet.ts.
 */
export { expectedNeed } from './expected-need.js'
export { Fleet, type CloseFleetOptions, type FleetEvents, type FleetOptions } from './fleet.js'
export { GpuDesks } from './gpu-desks.js'
export { gpuName } from './gpu-names.js'
export { hasOwnCommandLine, planLaunch } from './launch-command.js'
export { remoteEnvironment } from './remote-launch.js'
export {
  endLeftovers,
  findLeftovers,
  runningLeftovers,
  type LeftEngine,
  type LeftoverQuery,
  type Leftovers,
  type ReapedLeftovers,
} from './leftovers.js'
export { nodePlansOf, type NodePlan } from './node-plan.js'
export { fitText, memoryFits, type MemoryFit, type MemoryFits } from './memory-fits.js'
export { createBackend, type BackendContext } from './node-runner.js'
export type { NodeLoad } from './node-endpoint.js'
export { Node, type NodeChange } from './node.js'
export type { Placement } from './placement.js'
export { planGpus, type GpuPlan } from './plan-gpus.js'
export { preflight, type PreflightOptions } from './preflight.js'
export { prepareLaunch, type PreparedLaunch } from './prepare-launch.js'
export { restWayOf, restWords } from './rest-way.js'
export { rosterOf } from './roster-view.js'
export type { TightNode } from './tight-nodes.js'
export { isSettled, transitions, type NodeEvent } from './transitions.js'
export type { NodeWarmed } from './warm-up.js'
export { weightsThere, type WeightsTold } from './weights-there.js'
