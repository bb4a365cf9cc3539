import type { NodeState } from '../contracts/index.js'

/** Median and 95th percentile of the last 60 seconds, in milliseconds. */
export interface Quantiles {
  readonly p50: number
  readonly p95: number
}

export interface NodeStatus {
  /** `pool/name`. */
  readonly id: string
  readonly name: string
  readonly engine: string
  /** `here` for nodes that this balancer launched, else the host name of the URL. */
  readonly host: string
  readonly state: NodeState
  /** Why the node is in a state other than ready. */
  readonly reason: string | null
  readonly sinceMs: number
  readonly url: string
  readonly pid: number | null
  readonly weight: number
  readonly inFlight: number
  /** Of those in flight, the ones without a first token. */
  readonly waiting: number
  readonly tokensInFlight: number
  readonly requests: number
  readonly errors: number
  readonly ttftMs: Quantiles | null
  /** Time per output token after the first. */
  readonly tpotMs: Quantiles | null
  readonly tokensPerSecond: number
  readonly restarts: number
  readonly version: string | null
  readonly logPath: string | null
  /** Loading progress, 0..1, where the engine tells. */
  readonly progress: number | null
}

export interface PoolStatus {
  readonly name: string
  readonly models: readonly string[]
  readonly strategy: string
  readonly inFlight: number
  readonly waiting: number
  readonly requests: number
  readonly errors: number
  readonly tokensPerSecond: number
  readonly ttftMs: Quantiles | null
  /** Median TTFT of each 5 s slice of the last two minutes, oldest first; null where nothing was answered. */
  readonly ttftHistoryMs: readonly (number | null)[]
  readonly nodes: readonly NodeStatus[]
}

export type BalancerState = 'starting' | 'serving' | 'draining'

/** What `lb status --json` prints. Fields may join, none leaves within version 1. */
export interface BalancerStatus {
  readonly name: string
  readonly pid: number
  readonly version: string
  readonly startedAtMs: number
  readonly state: BalancerState
  readonly file: string | null
  readonly logDir: string | null
  readonly gateway: {
    /** Base URLs, `http://127.0.0.1:8484`. */
    readonly listen: readonly string[]
    readonly requestsPerSecond: number
    readonly tokensPerSecond: number
    readonly ttftMs: Quantiles | null
  }
  readonly pools: readonly PoolStatus[]
}

/** One line of `/v1/events`. */
export interface BalancerEvent {
  readonly atMs: number
  readonly kind: 'node' | 'gateway' | 'balancer'
  /** The node's id, for `kind: node`. */
  readonly node?: string
  readonly from?: NodeState
  readonly to?: NodeState
  readonly message: string
}
