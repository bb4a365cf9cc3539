import type { Candidate } from '../contracts/index.js'
import type { LoadBound } from './load-bound.js'

/** Gives each key a node of its own, and the nodes behind it an order: few keys move when nodes come or go. */
export interface KeyPlace {
  /** Position of the first candidate, in the key's order, that is below the bound; the very first where all have reached it. */
  find(key: number, candidates: readonly Candidate[], bound: LoadBound): number
  /** Where each candidate stands in the key's order: lower comes first. For people who ask; takes its time. */
  distances(key: number, candidates: readonly Candidate[]): readonly number[]
}
