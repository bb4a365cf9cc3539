/**
 * How many replicas the load wants: pure numbers, the same in virtual time. Refuses to know nodes, clocks and requests.
 * Read first: scale-facts.ts, wanted-replicas.ts, then needs.ts, steadied.ts and scale-memory.ts.
 */
export { workOf, type ScaleAnswer, type ScaleFacts, type TriggerReading } from './scale-facts.js'
export { scheduledFloor } from './schedule-floor.js'
export { ScaleMemory, type KeptMemory } from './scale-memory.js'
export { wantedReplicas } from './wanted-replicas.js'
export { count, duration, followsText } from './words.js'
