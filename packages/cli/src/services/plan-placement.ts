import {
  createPluginHost,
  gpuName,
  planGpus,
  silentLogger,
  visibilityEnv,
  type GpuPlan,
  type MemoryFits,
  type Placement,
  type TightNode,
  type Topology,
} from '@plimsoll/core'
import type { PlannedGpus } from '../views/plan-gpu-lines.js'
import type { PreparedTopology } from './prepare-topology.js'

/** The part of a plan that is about accelerators. */
export interface PlacementPlan {
  /** For the launch plan; undefined where nobody chose, or could. */
  chosenFor(nodeId: string): Placement['gpus'] | undefined
  /** For people. */
  shownOf(nodeId: string, ids: 'index' | 'uuid', host?: string): PlannedGpus | undefined
  /** Nodes that nobody placed, with less memory than they are expected to need. */
  readonly tight: readonly TightNode[]
  /** What is worth a second thought in the topology as a whole. */
  readonly warnings: readonly string[]
}

/** Asks the machine's tools only where something is to be launched. */
export async function planPlacement({ topology, engines }: PreparedTopology): Promise<PlacementPlan> {
  const launches = topology.pools.some((pool) => pool.groups.some((group) => group.launch !== undefined))
  const none: GpuPlan = { placements: new Map(), gpus: [], taken: [], fits: new Map(), tight: [] }
  const plan = launches ? await planGpus(topology, { engines, host: createPluginHost(silentLogger), env: process.env }) : none
  return {
    chosenFor(nodeId) {
      const placement = plan.placements.get(nodeId)
      return placement?.refusal === undefined ? placement?.gpus : undefined
    },
    shownOf: (nodeId, ids, host) => shown(plan.placements.get(nodeId), { ids, host }, plan.fits.get(nodeId)),
    tight: plan.tight,
    warnings: unchosenGroups(topology, plan),
  }
}

function shown(
  placement: Placement | undefined,
  { ids, host }: { readonly ids: 'index' | 'uuid'; readonly host?: string | undefined },
  fits: MemoryFits | undefined,
): PlannedGpus | undefined {
  if (placement === undefined) return undefined
  const { gpus, need, notes, refusal } = placement
  return {
    gpus: gpus.map((gpu) => ({ ...gpu, label: host === undefined ? gpuName(gpu) : `${gpuName(gpu)} of ${host}` })),
    env: refusal === undefined ? visibilityEnv(gpus, ids, host === undefined ? process.platform : 'linux') : {},
    needMiB: need?.mib ?? null,
    needWhy: need?.why ?? null,
    notes,
    refusal: refusal ?? null,
    ...(fits === undefined ? {} : { fits }),
  }
}

/** Engines for which nobody chose: replicas that all see all GPUs would all take the first, and a reserved one is seen too. */
function unchosenGroups(topology: Topology, { gpus, taken }: GpuPlan): string[] {
  const groups = topology.pools.flatMap((pool) => pool.groups.map((group) => ({ ...group, id: `${pool.name}/${group.name}` })))
  const free = groups.filter(({ launch, host }) => launch !== undefined && launch.gpus === undefined && host === undefined)
  return free.flatMap(({ id, launch }) => {
    const replicas = launch?.replicas ?? 1
    if (replicas > 1 && gpus.length > 1)
      return [
        `${id}: ${replicas} replicas on ${gpus.length} GPUs without \`gpus\`: each sees all of them, and most engines take the first; try gpus: { perReplica: 1 }`,
      ]
    const held = gpus.flatMap((gpu) =>
      taken.filter((claim) => claim.key === gpu.key).map((claim) => `${gpuName(gpu)} is reserved for ${claim.holder}`),
    )
    return held.length === 0 ? [] : [`${id} sees all GPUs, and ${held.join(', ')}; say which with gpus, or gpus: none`]
  })
}
