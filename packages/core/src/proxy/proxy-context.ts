import type { Clock } from '../base/index.js'
import type { Face, LeaseBook, Logger, RequestRecord, RosterSource, Strategy } from '../contracts/index.js'
import type { Exchange, TimerWheel, UpstreamEngine, UpstreamTimeouts } from '../wire/index.js'
import type { BodyBudget, BodyShare } from './body-budget.js'
import type { Delivery } from './delivery.js'
import type { TokenEstimates } from './token-estimates.js'

/** A pool as the corridor needs to know it. */
export interface PoolRoute {
  readonly name: string
  readonly models: readonly string[]
  readonly strategy: Strategy
  /** Further nodes tried before the first byte of an answer. */
  readonly retries: number
  readonly timeouts: UpstreamTimeouts
}

/** The pools that are served right now; replaced whole by a reload. */
export interface PoolDirectory {
  poolOf(model: string): PoolRoute | undefined
  /** The pool meant when a request names no model: the only one there is. */
  readonly only: PoolRoute | undefined
  readonly models: readonly string[]
}

export interface ProxyOptions {
  readonly rosters: RosterSource
  readonly leases: LeaseBook
  readonly upstream: UpstreamEngine
  readonly pools: () => PoolDirectory
  readonly clock: Clock
  readonly log: Logger
  /** Salts prefix hashes, so that they mean nothing outside this installation. */
  readonly salt: Uint8Array
  readonly wheel: TimerWheel
  readonly limits: () => { readonly maxBodyBytes: number; readonly maxBodiesBytes: number; readonly heartbeatMs: number }
  /** Called once for each request, at its very end. */
  readonly onSettled: (record: RequestRecord) => void
}

/** What the stages share. */
export interface ProxyContext extends ProxyOptions {
  readonly bodies: BodyBudget
  readonly estimates: TokenEstimates
}

export interface ProxyRequest {
  readonly exchange: Exchange
  readonly face: Face
  readonly requestId: string
}

/** A request with the client's side of it. */
export interface Entered extends ProxyRequest {
  readonly delivery: Delivery
  /** What the body holds of the memory for bodies. */
  readonly share: BodyShare
  /** Epoch. */
  readonly arrivedAtMs: number
  /** On the monotonic clock. */
  readonly arrivedMs: number
}
