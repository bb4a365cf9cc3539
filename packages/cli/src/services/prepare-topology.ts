import {
  createStrategyRegistry,
  loadTopologyFile,
  resolveTopology,
  type EngineCatalogue,
  type EnginePlugin,
  type JsonSchema,
  type PoolPlan,
  type Topology,
  type TopologyInput,
  type TopologySource,
} from '@plimsoll/core'
import { engineModules, installedEngines, loadEngines, type InstalledEngine } from './engine-catalogue.js'
import { installedMetrics, loadMetrics, metricModules } from './metric-catalogue.js'
import { installedStrategies, loadStrategies, strategyModules } from './strategy-catalogue.js'

export interface PrepareOptions {
  readonly cwd: string
  readonly file?: string | undefined
  readonly name?: string | undefined
  /** The built-in simulated topology instead of a file. */
  readonly sim?: boolean
  /** Replaces the port of the first TCP address that the gateway listens on. */
  readonly port?: number | undefined
  readonly pluginRoots: readonly string[]
}

/** A checked topology with what is needed to run it. */
export interface PreparedTopology {
  readonly topology: Topology
  /** Plugins of the engines that it uses, by engine. */
  readonly engines: ReadonlyMap<string, EnginePlugin>
  /** Module paths of the same. */
  readonly modules: Readonly<Record<string, string>>
  /** Module paths of the strategies in it that plugins bring. */
  readonly strategyModules: Readonly<Record<string, string>>
  /** Module paths of the metrics in it. */
  readonly metricModules: Readonly<Record<string, string>>
}

/** What `lb up --sim` starts. */
const simTopology: TopologyInput = {
  name: 'sim',
  pools: { demo: { models: ['sim-8b'], nodes: [{ name: 'sim', engine: 'sim', launch: { replicas: 4, args: { profile: 'instant' } } }] } },
}

/** Finds, reads, checks and completes the topology. Throws TopologyErrors with every mistake at once; LB_BAD_PLUGIN where the plugin of an engine in it is broken. */
export async function prepareTopology(options: PrepareOptions): Promise<PreparedTopology> {
  const source = options.sim === true ? simTopology : (await loadTopologyFile(fileOptions(options))).source
  const brought = await broughtStrategies(source, options.pluginRoots)
  const metrics = await broughtMetrics(source, options.pluginRoots)
  const { engines: installed, faults } = installedEngines(options.pluginRoots)
  const wanted = faults.find(({ engines }) => engines.some((engine) => isMentioned(engine, source)))
  if (wanted !== undefined) throw wanted.error
  const mentioned = [...installed.values()].filter((each) => isMentioned(each.engine, source))
  const plugins = new Map((await loadEngines(mentioned)).map((plugin) => [plugin.engine, plugin]))
  const resolved = await resolveTopology(source, {
    engines: catalogueOf(installed, plugins),
    strategies: brought.catalogue,
    metrics: metrics.catalogue,
    cwd: options.cwd,
    ...(options.name === undefined ? {} : { name: options.name }),
  })
  const used = new Set(resolved.pools.flatMap((pool) => pool.groups.map((group) => group.engine)))
  return {
    topology: options.port === undefined ? resolved : withPort(resolved, options.port),
    engines: new Map([...plugins].filter(([engine]) => used.has(engine))),
    modules: engineModules(mentioned.filter((each) => used.has(each.engine))),
    strategyModules: strategyModules(
      brought.loaded.filter(({ strategy }) => resolved.pools.some((pool) => pool.strategy.name === strategy)),
    ),
    metricModules: metricModules(metrics.loaded.filter(({ metric }) => resolved.pools.some((pool) => isJudgedBy(pool, metric)))),
  }
}

/** Strategies that the file may mean: the built-in ones, those of plugins that it mentions, and the names of all others. Throws LB_BAD_PLUGIN, LB_STRATEGY_DUPLICATE. */
async function broughtStrategies(source: TopologySource | TopologyInput, pluginRoots: readonly string[]) {
  const { strategies, faults } = installedStrategies(pluginRoots)
  const wanted = faults.find((fault) => fault.strategies.some((name) => isMentioned(name, source)))
  if (wanted !== undefined) throw wanted.error
  const loaded = [...strategies.values()].filter(({ strategy }) => isMentioned(strategy, source, 'strategy|name'))
  const { catalogue } = createStrategyRegistry(await loadStrategies(loaded))
  const unread = [...strategies.keys()].filter((name) => !catalogue.has(name)).map((name) => [name, { settings: {} }] as const)
  return { loaded, catalogue: new Map([...catalogue, ...unread]) }
}

/** The same of metrics. Throws LB_BAD_PLUGIN, LB_METRIC_DUPLICATE. */
async function broughtMetrics(source: TopologySource | TopologyInput, pluginRoots: readonly string[]) {
  const { metrics, faults } = installedMetrics(pluginRoots)
  const wanted = faults.find((fault) => fault.metrics.some((name) => isMentioned(name, source, 'plugin')))
  if (wanted !== undefined) throw wanted.error
  const loaded = [...metrics.values()].filter(({ metric }) => isMentioned(metric, source, 'plugin'))
  const plugins = (await loadMetrics(loaded)).map((plugin) => [plugin.name, plugin] as const)
  const unread = [...metrics.keys()].map((name) => [name, { settings: {} }] as const)
  return { loaded, catalogue: new Map<string, { readonly settings: JsonSchema }>([...unread, ...plugins]) }
}

function isJudgedBy({ rollout }: PoolPlan, metric: string): boolean {
  return rollout?.judge.metrics.some(({ plugin }) => plugin === metric) === true
}

function fileOptions({ cwd, file }: PrepareOptions): { cwd: string; file?: string } {
  return file === undefined ? { cwd } : { cwd, file }
}

/** Only plugins whose name stands in the file are imported; one that comes out of a variable could be any. */
function isMentioned(name: string, source: TopologySource | TopologyInput, keys = 'engine'): boolean {
  const text = 'kind' in source && source.kind === 'text' ? source.text : JSON.stringify(source)
  return text.includes(name) || new RegExp(`(?:${keys})["']?\\s*:\\s*["']?\\$\\{`).test(text)
}

/** Engines that nobody mentions stand there by name only, so that an error can say what is installed. */
function catalogueOf(installed: ReadonlyMap<string, InstalledEngine>, plugins: ReadonlyMap<string, EnginePlugin>): EngineCatalogue {
  return new Map([...installed.keys()].map((engine) => [engine, plugins.get(engine) ?? { settings: {}, canLaunch: false }]))
}

function withPort(topology: Topology, port: number): Topology {
  const first = topology.gateway.listen.findIndex((address) => address.kind === 'tcp')
  const listen = topology.gateway.listen.map((address, index) =>
    index === first && address.kind === 'tcp' ? { ...address, port } : address,
  )
  return {
    ...topology,
    gateway: { ...topology.gateway, listen: first < 0 ? [{ kind: 'tcp', host: '127.0.0.1', port }, ...listen] : listen },
  }
}
