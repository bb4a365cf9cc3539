/**
 * Owns the simulated engine as a server: HTTP, wall-clock time, faults. Refuses to know the balancer.
 * Read first: sim-server.ts, then inference.ts.
 */
export { parseFault, type Fault } from './fault.js'
export { startSimServer, type SimServer, type SimServerOptions } from './sim-server.js'
