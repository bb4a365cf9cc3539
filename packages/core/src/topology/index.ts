/**
 * Owns the topology file: its schema, reading, checking, defaults, differences. Refuses to know what a plan becomes (processes, sockets).
 * Read first: topology.ts, then resolve-topology.ts.
 */
export type { EngineCatalogue, EngineFacts, StrategyCatalogue } from './catalogue.js'
export { defineTopology } from './define-topology.js'
export { TopologyErrors, placeOf, type Problem } from './problem.js'
export type { TopologyInput } from './schema.js'
export {
  nodeIdsOf,
  type GatewayPlan,
  type GroupPlan,
  type LaunchSettings,
  type ListenAddress,
  type PoolPlan,
  type SecretRef,
  type StrategyPlan,
  type Topology,
} from './topology.js'
