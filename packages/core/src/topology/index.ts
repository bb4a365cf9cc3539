/**
 * Owns the topology file: its schema, reading, checking, defaults, differences. Refuses to know what a plan becomes (processes, sockets).
 * Read first: topology.ts, then resolve-topology.ts.
 */
export { formatListen, parseAttach } from './addresses.js'
export {
  isPort,
  MAX_MEMBERS,
  type AttachSource,
  type DnsSource,
  type FileSource,
  type KubernetesSource,
  type SrvSource,
} from './attach-source.js'
export { changeGroupAside } from './change-group-aside.js'
export type { GroupChange } from './change-group.js'
export type { EngineCatalogue, EngineFacts, MetricCatalogue, StrategyCatalogue } from './catalogue.js'
export { defineTopology } from './define-topology.js'
export { diffTopologies, essenceOf, type ChangedGroup, type PoolDiff, type TopologyDiff } from './diff-topologies.js'
export { choosesGpus, type GpuRef, type GpuWish } from './gpu-wish.js'
export type { Environment } from './interpolate.js'
export { loadTopologyFile, type LoadOptions } from './load-topology-file.js'
export { named, withMembers, type Member, type MembersOf } from './members.js'
export { knownNames } from './nearest-word.js'
export type { ResidencyPlan } from './residency-plan.js'
export {
  defaultSteps,
  rolloutDefaults,
  rolloutKinds,
  type JudgePlan,
  type MetricPlan,
  type RolloutKind,
  type RolloutPlan,
} from './rollout-plan.js'
export type { ScalePlan, ScaleProvider, ScaleTarget, ScaleTrigger } from './scale-plan.js'
export type { SplitPlan, SplitSide } from './split-plan.js'
export type { WarmUpPlan } from './warm-up-plan.js'
export { wishedRollout, type RolloutOverrides } from './wished-rollout.js'
export { carriedChange } from './carried-change.js'
export { isPoolChange } from './is-pool-change.js'
export { withChanges, type PoolChange, type PoolChanges } from './with-changes.js'
export { placeOf, type Problem } from './problem.js'
export { formatDuration, formatSize, parseDuration, parseSize } from './quantities.js'
export { retryPlan, type HedgePlan, type RetryPlan } from './retry-plan.js'
export { renderTopology, topologyForm } from './render-topology.js'
export { resolveSecret } from './resolve-secret.js'
export { resolveTopology, topologyNameOf, type ResolveOptions } from './resolve-topology.js'
export { isResolvedTopology, parseResolvedTopology } from './resolved-topology.js'
export { shippedSchema as topologySchema } from './schema-check.js'
export type { TopologyInput } from './schema.js'
export { TopologyErrors } from './topology-errors.js'
export type { TopologySource } from './topology-source.js'
export {
  nodeIdOf,
  nodeIdsOf,
  slotsOf,
  type GatewayPlan,
  type GroupPlan,
  type LaunchSettings,
  type ListenAddress,
  type PoolPlan,
  type SecretRef,
  type StrategyPlan,
  type HostPlan,
  type Topology,
} from './topology.js'
