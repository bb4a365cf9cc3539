import { Autoscaler, type ScaleDesk, type ScaleWorld } from '../autoscale/index.js'
import { isOver, type RolloutDesk } from '../rollout/index.js'
import { planGpus, type Node } from '../nodes/index.js'
import { ScaleMetrics } from '../telemetry/index.js'
import { withChanges } from '../topology/index.js'
import { LbError } from '../errors/index.js'
import { createPluginHost } from './plugin-host.js'
import type { SteeringParts, SteeringRoom } from './steering.js'

type Parts = SteeringParts & { readonly rollouts: Pick<RolloutDesk, 'list'> }

const GPUS_FRESH_MS = 5_000

/** Scaling with what it needs of this house. */
export function seatScale(parts: Parts): ScaleDesk & SteeringRoom {
  const autoscaler = new Autoscaler(worldOf(parts))
  return {
    start: () => Promise.resolve(autoscaler.start()),
    scale: (pool, replicas, group) => autoscaler.scale(pool, replicas, group),
    list: () => autoscaler.list(),
    settled: (record) => autoscaler.settled(record),
    stop: () => autoscaler.stop(),
  }
}

function worldOf({ assembly, options, plans, eventLog, rollouts }: Parts): ScaleWorld {
  const { clock, log, stateDir, env } = options
  const { fleet, belief, gpuDesk, gpuBoard } = assembly
  const host = createPluginHost(log)
  const metrics = new ScaleMetrics(assembly.metrics.registry)
  const context = { engines: new Map(options.engines.map((plugin) => [plugin.engine, plugin])), host, env }
  return {
    clock,
    log,
    stateDir,
    env,
    pools: () => plans.topology.pools,
    pool: (name) => plans.poolOf(name),
    change: (pool, change) => plans.change(pool, change),
    nodes: () => fleet.nodes(),
    leaving: () => fleet.leaving(),
    countsOf: (node: Node) => belief.of(node),
    inLine: () => assembly.standing().inLine,
    heldBy(pool) {
      const running = rollouts.list().find((each) => each.pool === pool && !isOver(each))
      return running === undefined ? undefined : `rollout ${running.id} runs`
    },
    async refusals(pool, groups) {
      if (!groups.some(({ launch }) => launch?.gpus !== undefined && launch.gpus.kind !== 'none')) return new Map()
      const { placements } = await planGpus(withChanges(plans.topology, new Map([[pool, { groups }]])), context)
      return new Map([...placements].flatMap(([id, { refusal }]) => (refusal === undefined ? [] : [[id, refusal.message] as const])))
    },
    async gpuUse(nodes) {
      const keys = new Set(nodes.flatMap((id) => gpuDesk.heldBy(id) ?? []))
      if (keys.size === 0) return undefined
      const { gpus } = await gpuBoard.watch.read(GPUS_FRESH_MS)
      const used = gpus.flatMap(({ key, utilization }) => (keys.has(key) && utilization !== null ? [utilization] : []))
      return used.length === 0 ? undefined : used.reduce((sum, each) => sum + each, 0) / used.length
    },
    async fetchText(url, signal) {
      const { status, text } = await host.get(url, { signal })
      if (status > 299) throw refusedBy(url, status)
      return text
    },
    async post(url, body, withinMs) {
      const { status } = await host.send('POST', url, { body, signal: AbortSignal.timeout(withinMs) })
      if (status > 299) throw refusedBy(url, status)
    },
    measured: (scales) => metrics.tell(scales),
    tell: (pool, message) => eventLog.add({ kind: 'scale', pool, message }),
  }
}

function refusedBy(url: string, status: number): LbError {
  return new LbError(`${new URL(url).host} answered ${status}`, { code: 'LB_CANNOT_SCALE', source: 'operator' })
}
