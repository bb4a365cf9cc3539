/**
 * Owns what pools have launched: numbered, hashed, held to the content of their weights, and kept so that the very same can be launched again.
 * Refuses to know when that is done. Read first: revision-store.ts, then weights.ts.
 */
export { fetchWeights, type WeightsFetcher } from './fetch-weights.js'
export { SlowLearner } from './learn-slowly.js'
export { RevisionStore, shownModel } from './revision-store.js'
export { planOf, type StoredRevision } from './stored-revision.js'
export { contentOf, launchHashOf, relaunchOf, type WeightsContext } from './weights.js'
