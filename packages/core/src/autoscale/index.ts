/**
 * How many replicas the load wants. Refuses to know how they come: it says a number, and why.
 * Read first: scale-status.ts, scale-facts.ts, then wanted-replicas.ts with needs.ts and steadied.ts.
 */
export type { ScaleStatus } from './scale-status.js'
export type { ScaleDesk } from './scale-desk.js'
export type { ScaleDecision } from './scale-decision.js'
export { workOf, type ScaleAnswer, type ScaleFacts } from './scale-facts.js'
export { ScaleMemory } from './scale-memory.js'
export { wantedReplicas } from './wanted-replicas.js'
