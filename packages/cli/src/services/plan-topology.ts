import { createServer } from 'node:net'
import {
  askSources,
  baseEnvironment,
  createBackend,
  createPluginHost,
  diffTopologies,
  nodeIdsOf,
  hasOwnCommandLine,
  planLaunch,
  remoteEnvironment,
  silentLogger,
  type GroupPlan,
  type PoolPlan,
} from '@plimsoll/core'
import { PlanChecks } from './plan-checks.js'
import { planPlacement, type PlacementPlan } from './plan-placement.js'
import type { PreparedTopology } from './prepare-topology.js'
import { runningTopology } from './running-topology.js'
import type { Plan, PlannedNode } from '../views/plan-text.js'

/** Where nodes are put: below the ephemeral range, so that no client socket can take the port first. */
const FIRST_PORT = 18_400
const LAST_PORT = 19_399
const SOURCES_WITHIN_MS = 3_000

/** What `lb up` would do, without doing it. Ports are those that are free now; another start may take them first. */
export async function planTopology(prepared: PreparedTopology): Promise<Plan> {
  const { topology } = prepared
  const ports = freePorts()
  const placement = await planPlacement(prepared)
  const checks = new PlanChecks(process.env)
  const nodes: PlannedNode[] = []
  const asked = await askSources(topology, { env: process.env, waitMs: SOURCES_WITHIN_MS })
  for (const pool of asked.topology.pools) {
    for (const group of pool.groups) nodes.push(...(await plannedNodes({ ...prepared, placement, checks }, { pool, group }, ports)))
  }
  const running = await runningTopology(topology.name)
  // What runs has its memory already.
  const alive = new Set(running?.pools.flatMap((pool) => pool.groups.flatMap((group) => nodeIdsOf(pool, group))))
  return {
    name: topology.name,
    ...(topology.file === undefined ? {} : { file: topology.file }),
    listen: topology.gateway.listen,
    nodes,
    sources: asked.sources,
    warnings: placement.warnings,
    tight: placement.tight.filter((node) => !alive.has(node.id)),
    inherited: nodes.some((node) => node.how === 'launch') ? Object.keys(baseEnvironment({}, process.env)).sort() : [],
    findings: await checks.run(),
    ...(running === undefined ? {} : { running: diffTopologies(running, topology) }),
  }
}

async function plannedNodes(
  prepared: PlannedWith,
  { pool, group }: { pool: PoolPlan; group: GroupPlan },
  ports: AsyncIterator<number>,
): Promise<PlannedNode[]> {
  const planned: PlannedNode[] = []
  for (const [replica, id] of nodeIdsOf(pool, group).entries()) {
    const common = { id, engine: group.engine, weight: group.weight, models: pool.models }
    if (group.launch === undefined) planned.push({ ...common, how: 'attach', url: group.attach?.url ?? '' })
    else planned.push({ ...common, how: 'launch', ...(await launchOf(prepared, { pool, group, id, replica, ports })) })
  }
  return planned
}

type PlannedWith = PreparedTopology & { readonly placement: PlacementPlan; readonly checks: PlanChecks }

interface LaunchQuestion {
  readonly pool: PoolPlan
  readonly group: GroupPlan
  readonly id: string
  readonly replica: number
  readonly ports: AsyncIterator<number>
}

async function launchOf(
  { engines, placement, checks }: PlannedWith,
  { pool, group, id, replica, ports }: LaunchQuestion,
): Promise<Pick<PlannedNode, 'url'> & Partial<PlannedNode>> {
  const port = await nextOf(ports)
  const url = `http://127.0.0.1:${port}`
  const context = { engines, host: createPluginHost(silentLogger), env: process.env }
  const { backend } = createBackend({ id, name: id, pool, group, replica }, url, context)
  const chosen = placement.chosenFor(id)
  const gpus = placement.shownOf(id, backend.gpuIds ?? 'uuid', group.host?.name)
  const extraPorts: number[] = []
  while (extraPorts.length < (backend.extraPorts ?? 0)) extraPorts.push(await nextOf(ports))
  const slot = { host: '127.0.0.1', port, replica, extraPorts, ...(chosen === undefined ? {} : { gpus: chosen }) } as const
  const plan = planLaunch(backend, group, slot, group.host === undefined ? process.env : remoteEnvironment)
  const env = [...Object.keys(plan.env), ...Object.keys(group.launch?.env ?? {})]
  // A check would look at the files of this machine.
  const isOwnCommandLine = group.launch !== undefined && hasOwnCommandLine(group.launch)
  if (group.host === undefined) checks.add({ id, engine: group.engine, replica, isOwnCommandLine }, backend, plan)
  const where = group.host === undefined ? {} : { host: group.host.name }
  return {
    url,
    ...where,
    command: [plan.command, ...plan.args],
    env,
    readyWithinMs: plan.readyWithinMs,
    ...(gpus === undefined ? {} : { gpus }),
  }
}

async function nextOf(ports: AsyncIterator<number>): Promise<number> {
  const { value, done } = await ports.next()
  return done === true ? 0 : value
}

async function* freePorts(): AsyncGenerator<number> {
  for (let port = FIRST_PORT; port <= LAST_PORT; port += 1) if (await canBind(port)) yield port
}

function canBind(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)))
  })
}
