/**
 * Which pools are in memory where they share accelerators. Refuses to know how an engine sleeps or stops: it says who rests, and waits until it is so.
 * Read first: residency-status.ts.
 */
export type { ResidencyStatus } from './residency-status.js'
export type { ResidencyDesk } from './residency-desk.js'
