import type { Finding, PlaceMap } from './finding.js'

/** A topology before it is checked: plain data, with the places of its parts. */
export interface ReadDocument {
  readonly value: unknown
  readonly places: PlaceMap
  readonly findings: readonly Finding[]
  /** False where nothing further can be said, such as broken syntax. */
  readonly usable: boolean
}

/** Guards of every reader: more than this is an attack or an accident. */
export const readLimits = { bytes: 1024 * 1024, aliasExpansions: 100, depth: 64, values: 100_000 } as const

/** Keys that would reach into JavaScript's own objects. */
export function isForbiddenKey(key: string): boolean {
  return key === '__proto__'
}
