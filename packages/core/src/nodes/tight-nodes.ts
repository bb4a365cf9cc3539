import type { MemoryNeed, MemoryRoom } from '../contracts/index.js'
import type { MachineGpu } from '../machines/index.js'
import { expectedNeed } from './expected-need.js'
import { gpuWishOf } from './gpu-wish-of.js'
import { hasOwnCommandLine } from './launch-command.js'
import { memoryFits, type MemoryFits } from './memory-fits.js'
import { freeInAll, roomOn } from './memory-room.js'
import type { NodePlan } from './node-plan.js'
import type { BackendContext } from './node-runner.js'

/** A node that is not placed, and is expected to need more memory than there is: it will be slow or fail, but nobody forbids it. */
export interface TightNode {
  readonly id: string
  readonly need: MemoryNeed
  readonly room: MemoryRoom
  readonly fits: MemoryFits
}

export interface HostMemory {
  /** What lb may use here. */
  readonly gpus: readonly MachineGpu[]
  readonly freeMainMiB: number
}

/** Nodes without accelerators, judged by main memory, and those for which nobody chose, by all accelerators together. Each for itself; replicas are alike, and the first speaks for all. */
export function tightNodes(plans: readonly NodePlan[], host: HostMemory, context: BackendContext): TightNode[] {
  return plans.flatMap((plan) => {
    const { group, replica, id } = plan
    if (replica > 0 || group.host !== undefined || group.launch === undefined || hasOwnCommandLine(group.launch)) return []
    const room = roomOf(plan, host)
    const need = room === undefined ? undefined : expectedNeed(plan, context, room.kind === 'main' ? 'mainMemoryNeed' : 'memoryNeed')
    if (room === undefined || need === undefined || need.mib <= freeInAll(room)) return []
    return [{ id, need, room, fits: memoryFits(plan, room, context) }]
  })
}

/** Undefined where it is placed, or where a tool does not tell what is free. */
function roomOf(plan: NodePlan, { gpus, freeMainMiB }: HostMemory): MemoryRoom | undefined {
  const wish = gpuWishOf(plan)
  const usable = gpus.filter((gpu) => gpu.broken === undefined)
  if (wish?.kind === 'none' || (wish === undefined && usable.length === 0)) return { kind: 'main', freeMiB: [freeMainMiB], count: 1 }
  if (wish !== undefined || usable.some((gpu) => gpu.memFreeMiB === null)) return undefined
  const room = roomOn(usable, (gpu) => gpu.memFreeMiB, 1)
  return room === undefined ? undefined : { ...room, count: room.freeMiB.length }
}
