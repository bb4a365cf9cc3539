/**
 * Owns the choice of one node among candidates, and the registry of ways to choose. Refuses to know health, retries, sockets and limits.
 * Read first: round-robin.ts, then load.ts and least-tokens.ts, then marginal-cost.ts and adaptive.ts.
 */
export { builtinStrategies, defaultStrategyName } from './builtin.js'
export { RecentQuantile } from './recent-quantile.js'
export { createStrategyRegistry, type StrategyRegistry } from './registry.js'
