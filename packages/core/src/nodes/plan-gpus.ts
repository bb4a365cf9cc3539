import { systemClock } from '../base/index.js'
import {
  allowedGpus,
  createGpuWatch,
  freeMainMemoryMiB,
  GpuReservations,
  localMachine,
  type LiveClaim,
  type MachineGpu,
} from '../machines/index.js'
import type { Topology } from '../topology/index.js'
import { expectedNeed } from './expected-need.js'
import { usesOf } from './gpu-ledger.js'
import type { GpuSeeker } from './gpu-seeker.js'
import { gpuWishOf, needOf } from './gpu-wish-of.js'
import { memoryFits, type MemoryFits } from './memory-fits.js'
import { nodePlansOf, type NodePlan } from './node-plan.js'
import type { BackendContext } from './node-runner.js'
import { placeNodes, type Placement } from './placement.js'
import { planRemoteGpus } from './plan-remote-gpus.js'
import { tightNodes, type TightNode } from './tight-nodes.js'

export interface GpuPlan {
  /** By node id; only nodes whose group says `gpus`. */
  readonly placements: ReadonlyMap<string, Placement>
  /** What lb may use here. */
  readonly gpus: readonly MachineGpu[]
  /** Reservations of other topologies. */
  readonly taken: readonly LiveClaim[]
  /** By node id, where memory does not suffice: what would fit. */
  readonly fits: ReadonlyMap<string, MemoryFits>
  /** Nodes that nobody placed, whose model is larger than the memory that there is. */
  readonly tight: readonly TightNode[]
}

/** Which accelerators the nodes of a topology would get now, without taking any. What its own running nodes hold, they keep. */
export async function planGpus(topology: Topology, context: BackendContext): Promise<GpuPlan> {
  const { env } = context
  const watch = createGpuWatch(localMachine({ env }), systemClock)
  const [reading, claims] = await Promise.all([watch.read(0), new GpuReservations(env).living()])
  const isOwn = (claim: LiveClaim): boolean => claim.uid === process.getuid?.() && claim.holder.startsWith(`${topology.name}/`)
  const gpus = allowedGpus(reading.gpus, env)
  const plans = nodePlansOf(topology)
  const seekerOf = (plan: NodePlan): GpuSeeker[] => {
    const wish = gpuWishOf(plan)
    if (wish === undefined) return []
    // A plugin reads the files of this machine.
    const need = needOf(plan, plan.group.host === undefined ? expectedNeed(plan, context) : undefined)
    const held = claims.filter((claim) => isOwn(claim) && claim.holder === `${topology.name}/${plan.id}`).map((claim) => claim.key)
    const { id, replica } = plan
    return [{ id, replica, wish, ...(need === undefined ? {} : { need }), ...(held.length === 0 ? {} : { held }) }]
  }
  const problems = reading.problems.map((problem) => problem.message)
  const taken = claims.filter((claim) => !isOwn(claim))
  const turns = await Promise.all(
    turnsOf(plans).map(async (together) => {
      const seekers = together.filter((plan) => plan.group.host === undefined).flatMap(seekerOf)
      const others = claims.filter((claim) => isOwn(claim) && !together.some(({ id }) => claim.holder === `${topology.name}/${id}`))
      const here = placeNodes({ gpus, seekers, taken: usesOf(taken), soonFreeMiB: withoutThese(gpus, others), problems })
      return [...here, ...(await planRemoteGpus({ plans: together, taken, seekerOf, env }))]
    }),
  )
  const placements = new Map(turns.flat())
  const fits = plans.flatMap((plan) => {
    const room = plan.group.host !== undefined ? undefined : placements.get(plan.id)?.room
    return room === undefined ? [] : [[plan.id, memoryFits(plan, room, context)] as const]
  })
  const tight = tightNodes(plans, { gpus, freeMainMiB: freeMainMemoryMiB() }, context)
  return { placements, gpus, taken, fits: new Map(fits), tight }
}

/** What stays awake, and beside it each pool that shares accelerators with others: those have their turns, one after the other. What rests right now holds nothing. */
function turnsOf(plans: readonly NodePlan[]): readonly (readonly NodePlan[])[] {
  const awake = plans.filter(({ group }) => group.rests !== true)
  const staying = awake.filter(({ pool }) => pool.residency === undefined)
  const sharing = new Set(awake.flatMap(({ pool }) => (pool.residency === undefined ? [] : [pool.name])))
  if (sharing.size === 0) return [staying]
  return [...sharing].map((name) => [...staying, ...awake.filter(({ pool }) => pool.name === name)])
}

/** What would be free if these were at rest. */
function withoutThese(gpus: readonly MachineGpu[], claims: readonly LiveClaim[]): ReadonlyMap<string, number> {
  const free = new Map<string, number>()
  for (const { key, needMiB } of claims) {
    const now = free.get(key) ?? gpus.find((gpu) => gpu.key === key)?.memFreeMiB
    if (now !== undefined && now !== null) free.set(key, now + (needMiB ?? 0))
  }
  return free
}
