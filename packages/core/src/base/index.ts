/**
 * Owns time, randomness, typed events and files that one process at a time may hold. Refuses to know what they are used for.
 * Read first: clock.ts.
 */
export { claimFile, type Claim, type ClaimOptions } from './claim-file.js'
export { systemClock, type Clock, type TimerHandle } from './clock.js'
export { FakeClock } from './fake-clock.js'
export { MemberList, type Listed } from './member-list.js'
export { seededRandom, systemRandom, type RandomSource } from './random.js'
export { Emitter } from './emitter.js'
export { asOrdinary, goAhead } from './niceness.js'
export { isDeepStrictEqual, leanHttp, leanHttps, leanTls, promisify, stripVTControlCharacters } from './lean-node.js'
