/** `@plimsoll/core`: the balancer as a library. Importing it starts nothing. */
export { goAhead, systemClock, type Clock } from './base/index.js'
export {
  Balancer,
  createBalancer,
  createPluginHost,
  readNodeModels,
  servedUrl,
  surveyGpus,
  surveyGpusOf,
  type AskedNode,
  type BalancerEvents,
  type BalancerOptions,
  type CloseOptions,
  type Listenable,
  type SharedSocket,
  type StartOptions,
  type GpuSnapshot,
  type ThreadsOptions,
} from './balancer/index.js'
export type { GpuHost } from './machines/index.js'
export * from './contracts/index.js'
export type {
  BalancerEvent,
  BalancerState,
  BalancerStatus,
  GpuProblem,
  GpuStatus,
  NodeLoadStatus,
  NodeModels,
  NodeStatus,
  PoolStatus,
  QuarantinedStatus,
  Quantiles,
  SourceStatus,
  ServedModel,
  StopRequest,
  Topologies,
  WhyJson,
} from './control/index.js'
export type { ScaleStatus } from './autoscale/index.js'
export type { ResidencyStatus } from './residency/index.js'
export {
  isOver,
  type JudgeFigure,
  type JudgeReport,
  type RevisionEntry,
  type RolloutPhase,
  type RolloutSide,
  type RolloutStatus,
  type RolloutVerb,
  type RolloutWish,
  type WeightsFetcher,
} from './rollout/index.js'
export { askSources, type AskedSources } from './discovery/index.js'
export { LbError, isLbError, messageOf } from './errors/index.js'
export {
  baseEnvironment,
  commandLineOf,
  isSameProcess,
  ownerOf,
  ownIdentity,
  destinationArguments,
  parseSshDestination,
  shellWord,
  processIdentity,
  rotateIfLarger,
  tailFile,
  visibilityEnv,
  type ProcessIdentity,
} from './machines/index.js'
export {
  createBackend,
  endLeftovers,
  findLeftovers,
  fitText,
  gpuName,
  planGpus,
  hasOwnCommandLine,
  planLaunch,
  remoteEnvironment,
  preflight,
  prepareLaunch,
  runningLeftovers,
  type GpuPlan,
  type LeftEngine,
  type MemoryFit,
  type MemoryFits,
  type Placement,
  type TightNode,
  type Leftovers,
  type PreparedLaunch,
  type ReapedLeftovers,
} from './nodes/index.js'
export {
  acquireLock,
  listTopologies,
  readJson,
  readState,
  removeState,
  statePaths,
  stateRoot,
  writeState,
  type RecordedNode,
  type StateFile,
  type StatePaths,
} from './state/index.js'
export { builtinStrategies, createStrategyRegistry, defaultStrategyName, type StrategyRegistry } from './strategies/index.js'
export * from './topology/index.js'
