/**
 * Owns the API that the CLI talks to, over a unix socket. Refuses to know how the balancer does what is asked.
 * Read first: routes.ts.
 */
export type { ControlActions, StopRequest, Topologies } from './actions.js'
export type { NodeModels, ServedModel } from './models.js'
export { controlOpenApi } from './openapi.js'
export { createControlServer, type ControlServer } from './server.js'
export type { Why, WhyJson } from './why.js'
export type {
  BalancerEvent,
  BalancerState,
  BalancerStatus,
  GpuProblem,
  GpuStatus,
  NodeLoadStatus,
  NodeStatus,
  PoolStatus,
  QuarantinedStatus,
  Quantiles,
  SourceStatus,
} from './status.js'
