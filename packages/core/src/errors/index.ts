/**
 * Owns the one error class and its kinds. Refuses to know where an error is shown.
 * Read first: lb-error.ts.
 */
export { LbError, isLbError, type ErrorSource, type LbErrorOptions, type RetryVerdict } from './lb-error.js'
export { messageOf } from './message-of.js'
export { isOwnLack } from './own-lack.js'
