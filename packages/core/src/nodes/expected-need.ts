import type { MemoryNeed } from '../contracts/index.js'
import { createBackend, type BackendContext } from './node-runner.js'
import type { NodePlan } from './node-plan.js'

/** The memory that a node's engine will take, as its plugin expects it before there is a node. A plugin that throws expects nothing. */
export function expectedNeed(
  plan: NodePlan,
  context: BackendContext,
  which: 'memoryNeed' | 'mainMemoryNeed' = 'memoryNeed',
): MemoryNeed | undefined {
  try {
    const need = createBackend(plan, 'http://127.0.0.1:0', context).backend[which]?.()
    return need !== undefined && Number.isFinite(need.mib) && need.mib > 0 ? need : undefined
  } catch {
    return undefined
  }
}
