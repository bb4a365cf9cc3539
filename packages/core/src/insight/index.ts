/**
 * Owns what the balancer believes about nodes: claims in flight, what each cache holds, speed. Refuses to choose and to talk to engines.
 * Read first: belief.ts, then thread-belief.ts and prefix-mirror.ts.
 */
export type { Belief, BeliefOptions, MirrorReading } from './belief.js'
export { tenantOf, TokenEstimates, type CountedRequest, type PromptEstimate, type Tenant } from './token-estimates.js'
export type { Gap } from './speed-book.js'
export { CacheLedger, type LedgerEffects } from './cache-ledger.js'
export { createBelief } from './thread-belief.js'
