import type { Clock, RandomSource } from '../base/index.js'
import type { Decision, Logger, NodeOutcome, RequestRecord, RosterSource, ShadowPair, StrategyPlugin } from '../contracts/index.js'
import { messageOf } from '../errors/index.js'
import { createGateway, type Gateway } from '../gateway/index.js'
import type { Belief } from '../insight/index.js'
import { createProxy, type DeskWord, type KeptPrompt, type Proxy } from '../proxy/index.js'
import { createStrategyRegistry } from '../strategies/index.js'
import type { Topology } from '../topology/index.js'
import { TimerWheel, UpstreamEngine, type SocketCount } from '../wire/index.js'
import { Listeners } from './listeners.js'
import { LostNodes } from './lost-nodes.js'
import { NodeLives, type NodeLife } from './node-lives.js'
import { routingOf } from './routing.js'
import { Batch } from './batch.js'
import { reportsOf, type StrategyReport } from './strategy-reports.js'

/** What one data path is made of; the same in the main thread and in a data thread. */
export interface DataPathParts {
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
  readonly env: NodeJS.ProcessEnv
  readonly strategies: readonly StrategyPlugin[]
  readonly rosters: RosterSource
  readonly belief: Belief
  /** Of all data threads. */
  readonly sockets: SocketCount
  /** Salts the prefix hashes. */
  readonly salt: Uint8Array
  /** Epoch. */
  readonly startedAtMs: number
  /** Why new requests are refused; undefined while they are welcome. */
  readonly closedBecause: () => string | undefined
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>
  readonly onSettled: (records: readonly RequestRecord[]) => void
  /** A request that a revision which is tried out has failed goes on waiting for the trusted one: what is known of it so far. */
  readonly onSentBack: (record: RequestRecord) => void
  readonly onDecision: (decision: Decision) => void
  /** How tries at nodes went; faults are told at once, all others together with what comes after them. */
  readonly onOutcomes: (outcomes: readonly NodeOutcome[]) => void
  /** A word to the office of the quarantine, which answers with `proxy.quarantine`. */
  readonly onDeskWord: (word: DeskWord) => void
  /** More or fewer requests wait in line. */
  readonly onLine: () => void
  /** A request was answered, and so was its copy. */
  readonly onShadow: (pair: ShadowPair) => void
  /** A prompt that is asked often was kept; for the main thread. */
  readonly onHotPrompt?: (kept: KeptPrompt) => void
}

/** Everything between a client's socket and an engine's. */
export interface DataPath {
  readonly gateway: Gateway
  readonly proxy: Proxy
  readonly settled: Batch<RequestRecord>
  readonly listeners: Listeners
  /** Points routing at a topology. Throws LB_SECRET_MISSING where a key cannot be read. */
  use(topology: Topology): void
  /** The same declaration, whose pools run otherwise: keys, certificates and limits of the gateway stay as they are. */
  steer(topology: Topology): void
  /** What strategies say of themselves. */
  strategyReports(): readonly StrategyReport[]
  /** There is another roster. */
  nodesChanged(): void
  /** Cuts every connection, on both sides. */
  cutAll(): void
}

/** Builds a data path. Nothing starts here. */
export function createDataPath(parts: DataPathParts, first: Topology): DataPath {
  const { clock, log, rosters, belief } = parts
  const registry = createStrategyRegistry(parts.strategies)
  const wheel = new TimerWheel(clock)
  const upstream = new UpstreamEngine({ clock, wheel, sockets: parts.sockets })
  const settled = new Batch(wheel, parts.onSettled)
  const outcomes = new Batch(wheel, parts.onOutcomes)
  let routing = routingOf(first, { ...parts, registry })
  const proxy: Proxy = createProxy({
    rosters,
    leases: belief,
    upstream,
    wheel,
    clock,
    random: parts.random,
    log,
    pools: () => routing.directory,
    limits: () => routing.topology.gateway,
    salt: parts.salt,
    onSettled: (record) => settled.add(record),
    onSentBack: parts.onSentBack,
    onDecision: parts.onDecision,
    onOutcome(outcome) {
      outcomes.add(outcome)
      if (outcome.kind !== 'served') outcomes.flush()
    },
    onDeskWord: parts.onDeskWord,
    onLine: parts.onLine,
    onShadow: parts.onShadow,
    onHotPrompt: parts.onHotPrompt,
  })
  proxy.hotPrompts.use(warmedPools(first))
  const lives = new NodeLives()
  const lostNodes = new LostNodes()
  const tellStrategy = ({ id, pool, index }: NodeLife): void => {
    const plan = routing.topology.pools.find(({ name }) => name === pool)
    try {
      routing.directory.poolOf(plan?.models[0] ?? '')?.strategy.observe?.({ kind: 'node-gone', id, index })
    } catch (error) {
      log.error('strategy.failed', { pool, error: messageOf(error) })
    }
  }
  const gateway = createGateway({
    proxy,
    keys: () => routing.keys,
    cors: () => routing.cors,
    closedBecause: parts.closedBecause,
    // A pool that rests serves whoever asks for it, a little later.
    ready: () => routing.topology.pools.some(({ name, wake }) => wake !== undefined || rosters.current().routable(name).length > 0),
    models: () => routing.directory.models,
    metrics: parts.metrics,
    startedAtMs: parts.startedAtMs,
    clock,
    log,
  })
  const listeners = new Listeners({ clock, log, sockets: parts.sockets, onExchange: (exchange) => gateway.handle(exchange) })
  return {
    gateway,
    proxy,
    settled,
    listeners,
    use(topology) {
      routing = routingOf(topology, { ...parts, registry, before: routing })
      proxy.retain(new Set(topology.pools.map((pool) => pool.name)))
      proxy.hotPrompts.use(warmedPools(topology))
      listeners.use(topology.gateway)
    },
    steer(topology) {
      routing = routingOf(topology, { ...parts, registry, before: routing, keepsGateway: true })
    },
    strategyReports() {
      const pools = routing.topology.pools.flatMap(({ models }) => routing.directory.poolOf(models[0] ?? '') ?? [])
      return reportsOf(pools, (pool, error) => log.error('strategy.failed', { pool, error: messageOf(error) }))
    },
    nodesChanged() {
      const roster = rosters.current()
      for (const life of lives.gone(roster)) tellStrategy(life)
      for (const { lost, connectionKey } of lostNodes.news(roster)) upstream.abandon(connectionKey, lost)
      proxy.nodesChanged()
    },
    cutAll() {
      listeners.cutAll()
      upstream.close()
      settled.flush()
    },
  }
}

/** Pools that have nodes to be warmed. */
function warmedPools({ pools }: Topology): ReadonlySet<string> {
  return new Set(pools.flatMap(({ name, groups }) => (groups.some(({ warmUp }) => warmUp !== undefined) ? [name] : [])))
}
