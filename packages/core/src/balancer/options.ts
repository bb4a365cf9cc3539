import type { Clock, RandomSource } from '../base/index.js'
import type { ThreadsOptions } from './data-threads.js'
import type { EnginePlugin, Logger, MetricPlugin, StrategyPlugin } from '../contracts/index.js'
import type { LeftEngine } from '../nodes/index.js'
import type { WeightsFetcher } from '../rollout/index.js'
import type { Topology, TopologyInput } from '../topology/index.js'

export interface BalancerOptions {
  /** As written by hand (`defineTopology`), or one that `resolveTopology` has made. */
  readonly topology: TopologyInput | Topology
  /** The engines that the topology may name. */
  readonly engines: readonly EnginePlugin[]
  /** Strategies besides the built-in ones. */
  readonly strategies?: readonly StrategyPlugin[]
  /** Metrics that rollouts may be judged by. */
  readonly metrics?: readonly MetricPlugin[]
  /** Default: says nothing. */
  readonly log?: Logger
  readonly clock?: Clock
  readonly random?: RandomSource
  /** Where secrets and the engines' base environment are read from; default `process.env`. */
  readonly env?: NodeJS.ProcessEnv
  /** Where the logs of launched engines go; default a folder of this process under the temp folder. */
  readonly logDir?: string
  /** Where the salt of the prefix hashes is kept, so that those of two runs can be compared; default: nowhere. */
  readonly stateDir?: string
  /** Engines that a killed balancer of this topology left (`findLeftovers`): taken over where they fit, else ended. */
  readonly leftovers?: readonly LeftEngine[]
  /** Fetches weights for a rollout before anything is drained for it; default: nobody does, and what is not there is refused. */
  readonly fetcher?: WeightsFetcher
  /** Spreads what `listenShared` serves over data threads. Each imports the modules of engines and strategies itself. */
  readonly threads?: ThreadsOptions
}

export interface StartOptions {
  /** Waits until every pool has a node that takes requests, at most this long. Default 10,000; 0 does not wait. */
  readonly waitMs?: number
}

export interface CloseOptions {
  /** How long running requests may take to end; default the longest `drain` of the pools. */
  readonly drainMs?: number
  /** `stop` ends launched engines; `leave` lets them run on. Default `stop`. */
  readonly engines?: 'stop' | 'leave'
  /** Cuts what is running. Also shortens a close that is under way. */
  readonly force?: boolean
}
