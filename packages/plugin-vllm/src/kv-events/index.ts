/**
 * Owns vLLM's KV-cache events: ZeroMQ's wire protocol as far as they need it, their numbering, replay and forms. Refuses to know what they are used for.
 * Read first: cache-events.ts, then numbered-batches.ts.
 */
export { cacheEvents, type CacheEventPorts } from './cache-events.js'
