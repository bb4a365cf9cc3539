import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RequestRecord, Strategy } from '../contracts/index.js'
import { createCors, createGateway, createKeyRing, type Cors, type Gateway, type KeyRing } from '../gateway/index.js'
import { ProbeLoop } from '../health/index.js'
import { createLeaseBook, Fleet, type SharedLeaseBook } from '../nodes/index.js'
import { createProxy, createRecordRing, type PoolDirectory, type PoolRoute, type Proxy, type RecordRing } from '../proxy/index.js'
import { writeFileDurable } from '../state/index.js'
import { createStrategyRegistry, type StrategyRegistry } from '../strategies/index.js'
import { GatewayMetrics, prometheusContentType, RequestStats } from '../telemetry/index.js'
import { resolveSecret, type PoolPlan, type Topology } from '../topology/index.js'
import { TimerWheel, UpstreamEngine } from '../wire/index.js'
import { createPluginHost } from './plugin-host.js'
import type { Resolved } from './resolved-options.js'
import { SettledBatch } from './settled-batch.js'
import { coreVersion } from './version.js'

/** The rooms of one balancer, wired to each other. */
export interface Assembly {
  readonly fleet: Fleet
  readonly leases: SharedLeaseBook
  readonly probes: ProbeLoop
  readonly stats: RequestStats
  readonly metrics: GatewayMetrics
  readonly ring: RecordRing
  readonly proxy: Proxy
  readonly gateway: Gateway
  readonly upstream: UpstreamEngine
  readonly settled: SettledBatch
  /** Points routing at a topology; its nodes are the fleet's business. */
  use(topology: Topology): void
}

export interface AssemblyHooks {
  /** Why new requests are refused; undefined while they are welcome. */
  readonly closedBecause: () => string | undefined
  readonly onSettled: (record: RequestRecord) => void
}

/** Builds every room once. Nothing starts here. */
export function assemble(options: Resolved, first: Topology, hooks: AssemblyHooks): Assembly {
  const { clock, random, log } = options
  const leases = createLeaseBook()
  const registry = createStrategyRegistry(options.strategies)
  const engines = new Map(options.engines.map((plugin) => [plugin.engine, plugin]))
  const fleet = new Fleet({
    clock,
    random,
    log,
    leases,
    engines,
    host: createPluginHost(log),
    env: options.env,
    logDir: options.logDir,
    topologyName: first.name,
  })
  const probes = new ProbeLoop({
    clock,
    random,
    nodes: () => fleet.nodes(),
    onVerdict: (id, verdict, report) => fleet.report(id, verdict, report),
  })
  fleet.events.on('membership', () => probes.sync())
  fleet.events.on('record', () => probes.sync())
  fleet.events.on('changed', () => probes.sync())
  const stats = new RequestStats(clock)
  const metrics = new GatewayMetrics({ version: coreVersion(), nodes: () => readings(fleet, leases) })
  const ring = createRecordRing()
  const wheel = new TimerWheel(clock)
  const upstream = new UpstreamEngine({ clock, wheel })
  const settled = new SettledBatch(wheel, (records) => {
    for (const record of records) {
      stats.settle(record)
      metrics.settle(record)
      ring.add(record)
      hooks.onSettled(record)
    }
  })
  let routing = routingOf(first, options, { registry, leases })
  const proxy = createProxy({
    rosters: fleet,
    leases,
    upstream,
    wheel,
    clock,
    log,
    pools: () => routing.directory,
    limits: () => routing.topology.gateway,
    salt: saltIn(options.stateDir),
    onSettled: (record) => settled.add(record),
  })
  const gateway = createGateway({
    proxy,
    keys: () => routing.keys,
    cors: () => routing.cors,
    closedBecause: hooks.closedBecause,
    ready: () => routing.topology.pools.some((pool) => fleet.current().routable(pool.name).length > 0),
    models: () => routing.directory.models,
    metrics: () => {
      settled.flush()
      return { contentType: prometheusContentType, text: metrics.render() }
    },
    startedAtMs: clock.epochMs(),
    clock,
    log,
  })
  return {
    fleet,
    leases,
    probes,
    stats,
    metrics,
    ring,
    proxy,
    gateway,
    upstream,
    settled,
    use: (topology) => void (routing = routingOf(topology, options, { registry, leases, before: routing })),
  }
}

interface Routing {
  readonly topology: Topology
  readonly directory: PoolDirectory
  readonly keys: KeyRing
  readonly cors: Cors | undefined
}

interface RoutingParts {
  readonly registry: StrategyRegistry
  readonly leases: SharedLeaseBook
  readonly before?: Routing
}

/** Throws LB_SECRET_MISSING where a key cannot be read. */
function routingOf(topology: Topology, options: Resolved, parts: RoutingParts): Routing {
  const routes = topology.pools.map((pool) => poolRoute(pool, strategyFor(pool, options, parts)))
  const byModel = new Map(routes.flatMap((route) => route.models.map((model) => [model, route] as const)))
  const directory: PoolDirectory = {
    poolOf: (model) => byModel.get(model),
    only: routes.length === 1 ? routes[0] : undefined,
    models: [...byModel.keys()],
  }
  const keys = createKeyRing(topology.gateway.apiKeys.map((ref) => resolveSecret(ref, options.env)))
  const { cors } = topology.gateway
  return { topology, directory, keys, cors: cors === undefined ? undefined : createCors(cors) }
}

/** A strategy that a reload did not change keeps its state: round robin goes on where it was. */
function strategyFor(pool: PoolPlan, options: Resolved, { registry, leases, before }: RoutingParts): Strategy {
  const old = before?.topology.pools.find((other) => other.name === pool.name)
  const kept =
    old !== undefined && JSON.stringify(old.strategy) === JSON.stringify(pool.strategy)
      ? before?.directory.poolOf(old.models[0] ?? '')
      : undefined
  return (
    kept?.strategy ??
    registry.create(pool.strategy.name, { settings: pool.strategy.settings, random: options.random, clock: options.clock, belief: leases })
  )
}

function poolRoute(pool: PoolPlan, strategy: Strategy): PoolRoute {
  return { name: pool.name, models: pool.models, strategy, retries: pool.retries.max, timeouts: pool.timeouts }
}

function readings(fleet: Fleet, leases: SharedLeaseBook) {
  return fleet.nodes().map((node) => ({
    id: node.id,
    pool: node.plan.pool.name,
    state: node.state,
    inFlight: leases.countOf(node.index),
    waiting: leases.waitingOf(node.index),
    tokensInFlight: leases.tokensOf(node.index),
    restarts: node.restarts,
  }))
}

/** One salt per installation of a topology, kept with its state, so that hashes of two days can be compared. In memory where there is no state folder. */
function saltIn(stateDir: string | undefined): Uint8Array {
  if (stateDir === undefined) return randomBytes(32)
  const path = join(stateDir, 'salt')
  if (!existsSync(path)) writeFileDurable(path, randomBytes(32).toString('hex'))
  return Buffer.from(readFileSync(path, 'utf8').trim(), 'hex')
}
