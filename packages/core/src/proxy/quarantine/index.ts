/**
 * Owns the search for requests that make engines crash, and their quarantine. Refuses to know how a node is judged or chosen.
 * Read first: court.ts (who was it), then office.ts (one for all data paths) and desk.ts (one in each).
 */
export { QuarantineDesk } from './desk.js'
export type { Guard, Guarded } from './guard.js'
export { QuarantineOffice } from './office.js'
export type { Quarantined } from './court.js'
export type { DeskWord, OfficeWord, Sentence } from './words.js'
