/**
 * Owns the interfaces between rooms and to plugins. Refuses to hold behaviour.
 * Read first: engine-plugin.ts; the published half is `@plimsoll/core/plugin`.
 */
export type { NodeOutcome } from './node-outcome.js'
export type * from './node-warmer.js'
export type * from './belief.js'
export type * from './cache-event.js'
export type * from './decision.js'
export type * from './dialect.js'
export type * from './engine-plugin.js'
export type * from './gpu.js'
export type * from './json-schema.js'
export type * from './lease.js'
export type * from './load-facts.js'
export { silentLogger, type LogFacts, type Logger } from './log.js'
export type * from './memory-fit.js'
export type * from './metric.js'
export type * from './request-record.js'
export type * from './rollout-event.js'
export type * from './roster.js'
export type * from './shadow-pair.js'
export type * from './strategy.js'
