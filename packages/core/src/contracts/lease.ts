import type { BeliefView } from './strategy.js'

/** One request's claim on a node: counted in when made, counted out exactly once. */
export interface Lease {
  /** Moves the request from waiting to decoding; later calls do nothing. */
  firstToken(): void
  /** Counts out; later calls do nothing. */
  settle(): void
}

/** The counters of claims, in shared memory: one row a node. */
export interface LeaseBook extends BeliefView {
  open(node: { readonly index: number }, tokens: number): Lease
}
