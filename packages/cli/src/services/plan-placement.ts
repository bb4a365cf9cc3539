import {
  createPluginHost,
  gib,
  gpuName,
  planGpus,
  silentLogger,
  visibilityEnv,
  type GpuPlan,
  type Placement,
  type Topology,
} from '@plimsoll/core'
import type { PlannedGpus } from '../views/plan-gpu-lines.js'
import type { PreparedTopology } from './prepare-topology.js'

/** The part of a plan that is about accelerators. */
export interface PlacementPlan {
  /** For the launch plan; undefined where nobody chose, or could. */
  chosenFor(nodeId: string): Placement['gpus'] | undefined
  /** For people. */
  shownOf(nodeId: string, ids: 'index' | 'uuid'): PlannedGpus | undefined
  /** What is worth a second thought in the topology as a whole. */
  readonly warnings: readonly string[]
}

/** Asks the machine's tools only where something is to be launched. */
export async function planPlacement({ topology, engines }: PreparedTopology): Promise<PlacementPlan> {
  const launches = topology.pools.some((pool) => pool.groups.some((group) => group.launch !== undefined))
  const none: GpuPlan = { placements: new Map(), gpus: [] }
  const plan = launches ? await planGpus(topology, { engines, host: createPluginHost(silentLogger), env: process.env }) : none
  return {
    chosenFor(nodeId) {
      const placement = plan.placements.get(nodeId)
      return placement?.refusal === undefined ? placement?.gpus : undefined
    },
    shownOf: (nodeId, ids) => shown(plan.placements.get(nodeId), ids),
    warnings: crowdedGroups(topology, plan),
  }
}

function shown(placement: Placement | undefined, ids: 'index' | 'uuid'): PlannedGpus | undefined {
  if (placement === undefined) return undefined
  const { gpus, need, notes, refusal } = placement
  return {
    gpus: gpus.map((gpu) => ({ ...gpu, label: gpuName(gpu) })),
    env: refusal === undefined ? visibilityEnv(gpus, ids, process.platform) : {},
    needMiB: need?.mib ?? null,
    needWhy: need?.why ?? null,
    notes,
    refusal: refusal ?? null,
  }
}

/** Replicas that all see all GPUs would all take the first. */
function crowdedGroups(topology: Topology, { gpus }: GpuPlan): string[] {
  if (gpus.length < 2) return []
  return topology.pools.flatMap((pool) =>
    pool.groups.flatMap(({ name, launch }) =>
      launch === undefined || launch.gpus !== undefined || launch.replicas < 2
        ? []
        : [
            `${pool.name}/${name}: ${launch.replicas} replicas, ${gpus.length} GPUs (${gib(sumOf(gpus.map((gpu) => gpu.memTotalMiB ?? 0)))}) and no \`gpus\`: each replica sees all of them and most engines take the first; say gpus: { perReplica: 1 }`,
          ],
    ),
  )
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}
