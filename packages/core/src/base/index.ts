/**
 * Owns time, randomness and typed events. Refuses to know what they are used for.
 * Read first: clock.ts.
 */
export { systemClock, type Clock, type TimerHandle } from './clock.js'
export { FakeClock } from './fake-clock.js'
export { seededRandom, systemRandom, type RandomSource } from './random.js'
export { Emitter } from './emitter.js'
