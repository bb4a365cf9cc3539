/**
 * Owns the whole: builds the rooms, wires them, starts and stops them. Refuses to decide what a room decides; the only one that knows all others.
 * Read first: create-balancer.ts, then assembly.ts.
 */
export type { BalancerEvents } from './balancer-events.js'
export { Balancer, createBalancer } from './create-balancer.js'
export type { ThreadsOptions } from './data-threads.js'
export type { SharedSocket } from './shared-socket.js'
export { surveyGpus, surveyGpusOf, type GpuSnapshot } from './gpu-board.js'
export { servedUrl, type Listenable } from './listeners.js'
export type { BalancerOptions, CloseOptions, StartOptions } from './options.js'
export { readNodeModels, type AskedNode } from './node-models.js'
export { createPluginHost } from './plugin-host.js'
