import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock, systemRandom, type Clock, type RandomSource } from '../base/index.js'
import { silentLogger, type EnginePlugin, type Logger, type MetricPlugin, type StrategyPlugin } from '../contracts/index.js'
import { LbError } from '../errors/index.js'
import type { LeftEngine } from '../nodes/index.js'
import { createStrategyRegistry } from '../strategies/index.js'
import type { WeightsFetcher } from '../rollout/index.js'
import { isResolvedTopology, resolveTopology, type Topology, type TopologyInput } from '../topology/index.js'
import type { ThreadsOptions } from './data-threads.js'
import type { BalancerOptions } from './options.js'

/** Options with every default filled in. */
export interface Resolved {
  readonly engines: readonly EnginePlugin[]
  readonly strategies: readonly StrategyPlugin[]
  readonly metrics: readonly MetricPlugin[]
  readonly log: Logger
  readonly clock: Clock
  readonly random: RandomSource
  readonly env: NodeJS.ProcessEnv
  readonly logDir: string
  readonly threads: ThreadsOptions | undefined
  /** Where the salt of prefix hashes is kept; undefined: in memory only. */
  readonly stateDir: string | undefined
  readonly leftovers: readonly LeftEngine[]
  readonly fetcher: WeightsFetcher | undefined
}

export function resolveOptions(options: BalancerOptions): Resolved {
  return {
    engines: options.engines,
    strategies: options.strategies ?? [],
    metrics: options.metrics ?? [],
    log: options.log ?? silentLogger,
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    env: options.env ?? process.env,
    logDir: options.logDir ?? join(tmpdir(), `plimsoll-logs-${process.pid}`),
    stateDir: options.stateDir,
    threads: options.threads,
    leftovers: options.leftovers ?? [],
    fetcher: options.fetcher,
  }
}

/** A topology ready for use; one that was resolved before costs nothing. Throws TopologyErrors, or LB_UNKNOWN_ENGINE for a resolved one whose engine was not handed in. */
export async function topologyFrom(given: TopologyInput | Topology, options: Resolved): Promise<Topology> {
  const topology = isResolvedTopology(given) ? given : await resolveTopology(given, cataloguesOf(options))
  const known = new Set(options.engines.map((plugin) => plugin.engine))
  for (const group of topology.pools.flatMap((pool) => pool.groups)) {
    if (!known.has(group.engine)) {
      throw new LbError(`no engine plugin brings \`${group.engine}\``, {
        code: 'LB_UNKNOWN_ENGINE',
        source: 'operator',
        hint: `handed in: ${[...known].join(', ')}`,
      })
    }
  }
  return topology
}

function cataloguesOf(options: Resolved) {
  const engines = new Map(options.engines.map((plugin) => [plugin.engine, plugin]))
  const metrics = new Map(options.metrics.map((plugin) => [plugin.name, plugin]))
  return { engines, strategies: createStrategyRegistry(options.strategies).catalogue, metrics, env: options.env }
}
