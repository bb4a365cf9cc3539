import type { BalancerState, BalancerStatus, NodeLoadStatus, NodeStatus, PoolStatus } from '../control/index.js'
import type { Node } from '../nodes/index.js'
import type { PoolPlan, Topology } from '../topology/index.js'
import type { Assembly } from './assembly.js'
import type { Steering } from './steering.js'
import { coreVersion } from './version.js'

export interface StatusFacts {
  readonly topology: Topology
  readonly steering: Pick<Steering, 'rollouts' | 'scale' | 'residency'>
  readonly state: BalancerState
  readonly startedAtMs: number
  readonly listen: readonly string[]
  readonly threads: number
  readonly logDir: string
  /** Monotonic. */
  readonly nowMs: number
}

/** Everything that `lb status` and the live view show, from what each room knows. */
export function buildStatus(assembly: Assembly, facts: StatusFacts): BalancerStatus {
  const all = assembly.stats.gateway()
  const gpus = assembly.gpuBoard.current()
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
    pools: facts.topology.pools.map((pool) => ({ ...poolStatus(assembly, pool, facts.nowMs), ...steered(facts.steering, pool) })),
    quarantine: assembly.office.list(),
    gpus: gpus.gpus,
    gpuProblems: gpus.problems,
  }
}

function poolStatus(assembly: Assembly, pool: PoolPlan, nowMs: number): PoolStatus {
  const nodes = assembly.fleet
    .nodes()
    .filter((node) => node.plan.pool.name === pool.name)
    .map((node) => nodeStatus(assembly, node, nowMs))
  const { requests, errors, tokensPerSecond, ttftMs, ttftHistoryMs } = assembly.stats.pool(pool.name)
  const standing = assembly.standing()
  const budget = standing.budgets.get(pool.name)
  return {
    name: pool.name,
    models: pool.models,
    strategy: pool.strategy.name,
    ...strategyReport(assembly, pool),
    inFlight: sum(nodes.map((node) => node.inFlight)),
    waiting: sum(nodes.map((node) => node.waiting)),
    inLine: standing.inLine.get(pool.name) ?? 0,
    ...(budget === undefined ? {} : { retries: { inVain: budget.spent, allowed: budget.allowed, waiting: budget.waiting } }),
    requests,
    errors,
    tokensPerSecond,
    ttftMs,
    ttftHistoryMs,
    nodes,
    sources: assembly.discovery.reports(pool.name).map(({ atMs, error, failingSinceMs, notes, ...source }) => ({
      ...source,
      updatedAtMs: atMs ?? null,
      error: error ?? null,
      failingSinceMs: failingSinceMs ?? null,
      notes,
    })),
  }
}

/** What changes it by itself; a rollout stays in sight for as long as its balancer runs. */
function steered({ rollouts, scale, residency }: StatusFacts['steering'], { name }: PoolPlan): Partial<PoolStatus> {
  const rollout = rollouts.list().find(({ pool }) => pool === name)
  const scales = scale.list().filter(({ pool }) => pool === name)
  const rest = residency.list().find(({ pool }) => pool === name)
  return {
    ...(rollout === undefined ? {} : { rollout }),
    ...(scales.length === 0 ? {} : { scale: scales }),
    ...(rest === undefined ? {} : { residency: rest }),
  }
}

function strategyReport(assembly: Assembly, { name }: PoolPlan): Pick<PoolStatus, 'strategyReport'> {
  const report = assembly.strategyReports().find(({ pool }) => pool === name)
  return report === undefined ? {} : { strategyReport: report.values }
}

function nodeStatus({ stats, belief, gpuDesk: desk, watchdog }: Assembly, node: Node, nowMs: number): NodeStatus {
  const { requests, errors, ttftMs, tpotMs, tokensPerSecond } = stats.node(node.id)
  const { group } = node.plan
  const url = node.endpoint?.url ?? group.attach?.url ?? ''
  const evidence = watchdog.evidenceOf(node.id)
  const runs = node.state !== 'stopped' && node.state !== 'failed' && !(node.state === 'asleep' && node.restsBy === 'stop')
  return {
    id: node.id,
    name: node.plan.name,
    engine: group.engine,
    host:
      group.host !== undefined
        ? group.host.name
        : group.launch === undefined && url !== '' && !url.startsWith('http+unix:')
          ? new URL(url).hostname
          : 'here',
    state: node.state,
    reason: node.reason,
    sinceMs: node.sinceMs,
    url,
    pid: runs ? (node.endpoint?.process?.pid ?? null) : null,
    weight: group.weight,
    inFlight: belief.of(node).inFlight,
    waiting: belief.of(node).waiting,
    tokensInFlight: belief.of(node).tokensInFlight,
    requests,
    errors,
    ttftMs,
    tpotMs,
    tokensPerSecond,
    restarts: node.restarts,
    version: node.version,
    gpus: desk.heldBy(node.id) ?? null,
    logPath: node.endpoint?.logPath ?? null,
    progress: node.progress,
    ...(group.revision === undefined ? {} : { revision: group.revision }),
    ...(group.labels === undefined ? {} : { labels: group.labels }),
    adopted: node.endpoint?.adopted ?? false,
    warnings: node.warnings,
    lastLines: node.lastLines,
    ...(evidence === undefined ? {} : { evidence }),
    load: loadStatus(node, nowMs),
  }
}

/** A figure that the engine does not tell is null. */
function loadStatus({ load }: Node, nowMs: number): NodeLoadStatus | null {
  if (load === null) return null
  const { facts } = load
  return {
    ageMs: Math.max(0, Math.round(nowMs - load.atMs)),
    running: facts.running ?? null,
    waiting: facts.waiting ?? null,
    slots: facts.slots ?? null,
    kvUsedRatio: facts.kvUsedRatio ?? null,
    kvBlocks: facts.kvBlocks ?? null,
    kvBlockTokens: facts.kvBlockTokens ?? null,
    promptTokens: facts.promptTokens ?? null,
    cachedTokens: facts.cachedTokens ?? null,
    contextTokens: facts.contextTokens ?? null,
    adapters: facts.adapters ?? null,
    loadedModels: facts.loadedModels ?? null,
    asleep: facts.asleep ?? null,
    expertImbalance: facts.expertImbalance ?? null,
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
