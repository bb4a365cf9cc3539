import type { NodeState } from '../contracts/index.js'
import { messageOf } from '../errors/index.js'
import { restWayOf, type Node } from '../nodes/index.js'
import { Rollouts, type RolloutDesk, type RolloutNode, type RolloutStatus, type RolloutWorld } from '../rollout/index.js'
import { RolloutMetrics } from '../telemetry/index.js'
import { changeGroupAside } from '../topology/index.js'
import { goldenAsker } from './golden-asker.js'
import { leavingIn, steeringWorld } from './steering-world.js'
import type { SteeringParts, SteeringRoom } from './steering.js'

const WEBHOOK_WITHIN_MS = 5_000

/** Rollouts with what they need of this house. */
export function seatRollouts(parts: SteeringParts): RolloutDesk & SteeringRoom {
  const rollouts = new Rollouts(worldOf(parts))
  const pools = (): readonly string[] => parts.plans.topology.pools.map(({ name }) => name)
  const { metrics, fleet } = parts.assembly
  const { events } = fleet
  const seen = new RolloutMetrics(metrics.registry)
  metrics.onScrape(() => seen.read(rollouts.list()))
  events.on('changed', () => rollouts.nodesChanged())
  events.on('record', () => rollouts.nodesChanged())
  events.on('membership', () => void rollouts.noteRunning(pools()))
  return {
    begin: () => Promise.resolve(rollouts.begin(pools())),
    start: (wish) => rollouts.start(wish),
    act: (pool, verb) => rollouts.act(pool, verb),
    list: () => rollouts.list(),
    revisions: (pool) => rollouts.revisions(pool),
    compare: (pool) => rollouts.compare(pool),
    prepare: () => rollouts.prepare(pools()),
    settled: (record) => rollouts.settled(record),
    sentBack: (record) => rollouts.sentBack(record),
    shadowed: (pair) => rollouts.shadowed(pair),
    stop: () => rollouts.stop(),
  }
}

function worldOf(parts: SteeringParts): RolloutWorld {
  const { assembly, options, plans, eventLog } = parts
  const { clock, log, stateDir, fetcher } = options
  const { context, refusals, fetchText, post } = steeringWorld(parts)
  const { engines, host } = context
  const nodesOf = (pool: string): readonly Node[] => assembly.fleet.nodes().filter((node) => node.plan.pool.name === pool)
  return {
    clock,
    log,
    stateDir,
    weights: { ...context, clock, log },
    ...(fetcher === undefined ? {} : { fetcher }),
    pool: (name) => plans.poolOf(name),
    declaredPool: (name) => plans.declaredPoolOf(name),
    settled: (name) => plans.settledOf(name),
    change: (pool, change, urgency) => plans.change(pool, change, urgency),
    prepare: (pool, change, urgency) => plans.prepare(pool, change, urgency),
    catchUp: () => plans.catchUp(),
    nodes: (pool) => nodesOf(pool).map(seen),
    leaving: (pool) => leavingIn(pool, assembly.fleet),
    refusals,
    edited: (pool, group, change) => changeGroupAside(group, change, { topology: plans.topology, pool: plans.poolOf(pool), engines }),
    tell: (pool, message) => eventLog.add({ kind: 'rollout', pool, message }),
    changed: (status) => tellPlugins(status, parts),
    asker: (pool, nodes) => goldenAsker({ host, nodes: () => nodesOf(pool).filter(({ id }) => nodes().includes(id)), others: nodesOf }),
    metric: (name) => options.metrics.find((metric) => metric.name === name),
    host,
    fetchText,
    post: (url, body) => post(url, body, WEBHOOK_WITHIN_MS),
  }
}

function tellPlugins({ id, pool, kind, phase, from, to, share, reason }: RolloutStatus, { options }: SteeringParts): void {
  const event = { id, pool, kind, phase, from: from.revision, to: to.revision, share, reason, atMs: options.clock.epochMs() }
  for (const plugin of options.engines) {
    try {
      plugin.onRolloutEvent?.(event)
    } catch (error) {
      options.log.warn('plugin.rollout_event_failed', { engine: plugin.engine, error: messageOf(error) })
    }
  }
}

/** States in which something else than a failure keeps a node from serving. */
const coming: ReadonlySet<NodeState> = new Set(['declared', 'starting', 'loading', 'warming'])

function seen(node: Node): RolloutNode {
  const { plan, endpoint, load } = node
  return {
    id: node.id,
    group: plan.group.name,
    revision: plan.group.revision,
    state: node.state,
    reason: node.reason,
    progress: coming.has(node.state) ? `${node.reason ?? ''} ${node.progress ?? ''}` : '',
    isGivenUp: node.isGivenUp,
    failures: node.restarts,
    models: node.models,
    model: plan.group.model ?? endpoint?.backend.modelName,
    contextTokens: load?.facts.contextTokens,
    launchHash: endpoint?.launch?.hash,
    backend: endpoint?.backend,
    canSleep: restWayOf(node) === 'sleep',
  }
}
