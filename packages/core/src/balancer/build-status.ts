import type { BalancerState, BalancerStatus, NodeStatus, PoolStatus } from '../control/index.js'
import type { Node } from '../nodes/index.js'
import type { PoolPlan, Topology } from '../topology/index.js'
import type { Assembly } from './assembly.js'
import { coreVersion } from './version.js'

export interface StatusFacts {
  readonly topology: Topology
  readonly state: BalancerState
  readonly startedAtMs: number
  readonly listen: readonly string[]
  readonly threads: number
  readonly logDir: string
}

/** Everything that `lb status` and the live view show, from what each room knows. */
export function buildStatus(assembly: Assembly, facts: StatusFacts): BalancerStatus {
  const all = assembly.stats.gateway()
  return {
    name: facts.topology.name,
    pid: process.pid,
    version: coreVersion(),
    startedAtMs: facts.startedAtMs,
    state: facts.state,
    file: facts.topology.file ?? null,
    logDir: facts.logDir,
    gateway: {
      listen: facts.listen,
      threads: facts.threads,
      requestsPerSecond: all.requestsPerSecond,
      tokensPerSecond: all.tokensPerSecond,
      ttftMs: all.ttftMs,
    },
    pools: facts.topology.pools.map((pool) => poolStatus(assembly, pool)),
  }
}

function poolStatus(assembly: Assembly, pool: PoolPlan): PoolStatus {
  const nodes = assembly.fleet
    .nodes()
    .filter((node) => node.plan.pool.name === pool.name)
    .map((node) => nodeStatus(assembly, node))
  const { requests, errors, tokensPerSecond, ttftMs, ttftHistoryMs } = assembly.stats.pool(pool.name)
  return {
    name: pool.name,
    models: pool.models,
    strategy: pool.strategy.name,
    inFlight: sum(nodes.map((node) => node.inFlight)),
    waiting: sum(nodes.map((node) => node.waiting)),
    requests,
    errors,
    tokensPerSecond,
    ttftMs,
    ttftHistoryMs,
    nodes,
  }
}

function nodeStatus({ stats, leases }: Assembly, node: Node): NodeStatus {
  const { requests, errors, ttftMs, tpotMs, tokensPerSecond } = stats.node(node.id)
  const { group } = node.plan
  const url = node.endpoint?.url ?? group.attach?.url ?? ''
  const runs = node.state !== 'stopped' && node.state !== 'failed'
  return {
    id: node.id,
    name: node.plan.name,
    engine: group.engine,
    host: group.launch === undefined && url !== '' && !url.startsWith('http+unix:') ? new URL(url).hostname : 'here',
    state: node.state,
    reason: node.reason,
    sinceMs: node.sinceMs,
    url,
    pid: runs ? (node.endpoint?.process?.pid ?? null) : null,
    weight: group.weight,
    inFlight: leases.countOf(node.index),
    waiting: leases.waitingOf(node.index),
    tokensInFlight: leases.tokensOf(node.index),
    requests,
    errors,
    ttftMs,
    tpotMs,
    tokensPerSecond,
    restarts: node.restarts,
    version: node.version,
    logPath: node.endpoint?.logPath ?? null,
    progress: node.progress,
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
