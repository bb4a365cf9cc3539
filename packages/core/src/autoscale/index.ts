/**
 * How many replicas the load wants. Refuses to know how they come: it says a number, and why.
 * Read first: scale-status.ts.
 */
export type { ScaleStatus } from './scale-status.js'
export type { ScaleDesk } from './scale-desk.js'
