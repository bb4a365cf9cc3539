import type { Socket } from 'node:net'
import type { DoorConnection } from './door-connection.js'
import type { Exchange } from './exchange.js'
import type { HeadParser } from './llhttp.js'
import type { HeadRefusal } from './request-head.js'
import type { TimerWheel } from './timer-wheel.js'
import type { TrustedProxies } from './trusted-proxies.js'

/** Deadlines of a client's connection: design/resilience.md, Defaults. */
export interface DoorLimits {
  /** For a whole head, from the connection or from its first byte. */
  readonly headMs: number
  /** Between two requests. */
  readonly keepAliveMs: number
  /** For the client to take any byte of what waits for it. */
  readonly writeStallMs: number
  readonly minBodyBytesPerSecond: number
  /** How often the rate of a body is looked at. */
  readonly bodyWindowMs: number
}

export const defaultDoorLimits: DoorLimits = {
  headMs: 10_000,
  keepAliveMs: 75_000,
  writeStallMs: 60_000,
  minBodyBytesPerSecond: 500,
  bodyWindowMs: 10_000,
}

/** What all connections of a door share. */
export interface DoorContext {
  readonly parser: HeadParser
  readonly wheel: TimerWheel
  readonly limits: DoorLimits
  readonly trusted: TrustedProxies
  readonly onExchange: (exchange: Exchange) => void
  /** The whole answer to bytes that are no request. */
  readonly refusal: (refusal: HeadRefusal) => string
  /** True once connections are to end with the answer under way. */
  readonly closing: () => boolean
  readonly onAnswered: (connection: DoorConnection) => void
  readonly onClosed: (connection: DoorConnection, socket: Socket) => void
}
