/**
 * `@plimsoll/core/keeper`: for the process that holds a balancer's sockets and starts it again. Loads none of the balancer itself: it would hold its code for as
 * long as the sockets, and never run it.
 */
export { LbError, isLbError, messageOf } from './errors/index.js'
export { isSameProcess, ownIdentity } from './machines/index.js'
export { acquireLock, readState, statePaths, type StatePaths } from './state/index.js'
