/**
 * Owns what the balancer believes about nodes: claims in flight, what each cache holds, speed. Refuses to choose and to talk to engines.
 * Read first: belief.ts.
 */
export { createBelief, type Belief, type BeliefOptions } from './belief.js'
