import {
  createBackend,
  createPluginHost,
  isLbError,
  messageOf,
  nodeIdsOf,
  silentLogger,
  type Backend,
  type BalancerStatus,
  type EnginePlugin,
  type GroupPlan,
  type NodeState,
  type PoolPlan,
  type Topology,
} from '@plimsoll/core'
import { installedEngines, loadEngines } from './engine-catalogue.js'
import { findTarget, type TargetQuery } from './find-target.js'
import { openConnection } from './open-connection.js'
import { prepareTopology } from './prepare-topology.js'
import { runningTopology } from './running-topology.js'

export interface ModelsQuery extends TargetQuery {
  readonly pluginRoots: readonly string[]
}

/** One node with what it takes to ask its engine from here. */
export interface ModelNode {
  readonly id: string
  readonly pool: PoolPlan
  readonly group: GroupPlan
  /** Null where no balancer runs. */
  readonly state: NodeState | null
  /** Undefined while nothing runs at it. */
  readonly url: string | undefined
  /** Undefined where it could not be made; `fault` says why. */
  readonly backend: Backend | undefined
  readonly fault: string | undefined
}

/** Nodes of the balancer that runs, at the addresses where they are now; else those of the topology file, of which only attached ones can be asked. */
export async function modelNodes(query: ModelsQuery): Promise<readonly ModelNode[]> {
  const running = await runningNodes(query)
  if (running !== undefined) return running
  const { topology, engines } = await prepareTopology(query)
  return topology.pools.flatMap((pool) =>
    pool.groups.flatMap((group) =>
      nodeIdsOf(pool, group).map((id) => nodeOf({ id, pool, group, state: null, url: group.attach?.url }, engines)),
    ),
  )
}

/** Undefined where no balancer is meant, or none answers. */
async function runningNodes(query: ModelsQuery): Promise<readonly ModelNode[] | undefined> {
  try {
    const topology = await runningTopology(findTarget(query).name)
    if (topology === undefined) return undefined
    const connection = await openConnection(query)
    const status = await connection.client.status().finally(() => connection.close())
    const engines = await enginesOf(topology, query.pluginRoots)
    return topology.pools.flatMap((pool) => nodesIn(status, pool, engines))
  } catch (error) {
    if (isLbError(error) && error.code === 'LB_NOT_RUNNING') return undefined
    throw error
  }
}

async function enginesOf(topology: Topology, pluginRoots: readonly string[]): Promise<ReadonlyMap<string, EnginePlugin>> {
  const used = new Set(topology.pools.flatMap((pool) => pool.groups.map((group) => group.engine)))
  const installed = [...installedEngines(pluginRoots).engines.values()].filter(({ engine }) => used.has(engine))
  return new Map((await loadEngines(installed)).map((plugin) => [plugin.engine, plugin]))
}

function nodesIn(status: BalancerStatus, pool: PoolPlan, engines: ReadonlyMap<string, EnginePlugin>): ModelNode[] {
  const seen = status.pools.find(({ name }) => name === pool.name)?.nodes ?? []
  return seen.flatMap(({ id, state, url }) => {
    const group = groupOf(pool, id)
    const isUp = group?.launch === undefined || (state !== 'stopped' && state !== 'failed' && state !== 'declared')
    return group === undefined ? [] : [nodeOf({ id, pool, group, state, url: isUp && url !== '' ? url : undefined }, engines)]
  })
}

/** By its declared ids; members that joined later carry the group's name in front. */
function groupOf(pool: PoolPlan, id: string): GroupPlan | undefined {
  const named = pool.groups.filter(({ name }) => id.startsWith(`${pool.name}/${name}`)).sort((a, b) => b.name.length - a.name.length)
  return pool.groups.find((group) => nodeIdsOf(pool, group).includes(id)) ?? named[0]
}

function nodeOf(seen: Omit<ModelNode, 'backend' | 'fault'>, engines: ReadonlyMap<string, EnginePlugin>): ModelNode {
  const { id, pool, group, url, state } = seen
  if (group.source !== undefined && state === null)
    return { ...seen, backend: undefined, fault: 'its servers are known only while a balancer runs' }
  const context = { engines, host: createPluginHost(silentLogger), env: process.env }
  const plan = { id, name: id.slice(pool.name.length + 1), pool, group, replica: 0 }
  try {
    return { ...seen, backend: createBackend(plan, url ?? 'http://127.0.0.1:1', context).backend, fault: undefined }
  } catch (error) {
    return { ...seen, backend: undefined, fault: messageOf(error) }
  }
}
