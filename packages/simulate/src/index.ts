/**
 * Owns virtual time: workloads, a fleet of modelled engines, and the balancer's own belief and strategies between them. Refuses sockets and wall clocks.
 * Read first: workload.ts.
 */
export type { Workload, WorkloadRequest } from './workload.js'
