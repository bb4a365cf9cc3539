/**
 * Which pools are in memory where they share accelerators. Refuses to know how an engine sleeps or stops: it says who rests, and waits until it is so.
 * Read first: residency-status.ts, then next-moves.ts and residency.ts.
 */
export type { ResidencyStatus } from './residency-status.js'
export type { ResidencyDesk } from './residency-desk.js'
export { areNeighbours, areRivals, placesOf } from './places.js'
export type { PoolReading } from './pool-reading.js'
export type { ResidencyNews } from './residency-news.js'
export { FitMemory } from './fit-memory.js'
export { Residency, type RestingWait } from './residency.js'
