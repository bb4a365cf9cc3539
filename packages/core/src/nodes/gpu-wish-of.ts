import type { MemoryNeed } from '../contracts/index.js'
import type { GpuWish } from '../topology/index.js'
import type { NodePlan } from './node-plan.js'

/** What a node wants of the accelerators of its machine; undefined where nobody chose. */
export function gpuWishOf({ group }: NodePlan): GpuWish | undefined {
  return group.launch?.gpus
}

/** What the topology says goes before what the engine's plugin expects. */
export function needOf(plan: NodePlan, expected: MemoryNeed | undefined): MemoryNeed | undefined {
  const wish = gpuWishOf(plan)
  return wish?.kind === 'counted' && wish.needMiB !== undefined ? { mib: wish.needMiB, why: 'needMiB of the topology' } : expected
}
