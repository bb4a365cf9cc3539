import { Autoscaler, type ScaleDesk, type ScaleWorld } from '../autoscale/index.js'
import type { RolloutDesk } from '../rollout/index.js'
import type { Node } from '../nodes/index.js'
import { ScaleMetrics } from '../telemetry/index.js'
import { rolloutIn, steeringWorld } from './steering-world.js'
import type { SteeringParts, SteeringRoom } from './steering.js'

type Parts = SteeringParts & { readonly rollouts: Pick<RolloutDesk, 'list'> }

const GPUS_FRESH_MS = 5_000

/** Scaling with what it needs of this house. */
export function seatScale(parts: Parts): ScaleDesk & SteeringRoom {
  const autoscaler = new Autoscaler(worldOf(parts))
  return {
    begin: () => Promise.resolve(autoscaler.start()),
    scale: (pool, replicas, group) => autoscaler.scale(pool, replicas, group),
    list: () => autoscaler.list(),
    settled: (record) => autoscaler.settled(record),
    stop: () => autoscaler.stop(),
  }
}

function worldOf({ assembly, options, plans, eventLog, rollouts }: Parts): ScaleWorld {
  const { clock, log, stateDir, env } = options
  const { fleet, belief, gpuDesk, gpuBoard } = assembly
  const { refusals, fetchText, post } = steeringWorld({ options, plans })
  const metrics = new ScaleMetrics(assembly.metrics.registry)
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
      const running = rolloutIn(rollouts, pool)
      return running === undefined ? undefined : `rollout ${running.id} runs`
    },
    async gpuUse(nodes) {
      const keys = new Set(nodes.flatMap((id) => gpuDesk.heldBy(id) ?? []))
      if (keys.size === 0) return undefined
      const { gpus } = await gpuBoard.watch.read(GPUS_FRESH_MS)
      const used = gpus.flatMap(({ key, utilization }) => (keys.has(key) && utilization !== null ? [utilization] : []))
      return used.length === 0 ? undefined : used.reduce((sum, each) => sum + each, 0) / used.length
    },
    refusals,
    fetchText,
    post,
    measured: (scales) => metrics.tell(scales),
    changed: (place, direction) => metrics.changed(place, direction),
    failed: (place, what) => metrics.failed(place, what),
    tell: (pool, message) => eventLog.add({ kind: 'scale', pool, message }),
  }
}
