import { systemClock } from '../base/index.js'
import { createRemoteGpuWatch, type LiveClaim } from '../machines/index.js'
import type { HostPlan } from '../topology/index.js'
import { usesOf } from './gpu-ledger.js'
import { machineKey } from './gpu-desks.js'
import type { GpuSeeker } from './gpu-seeker.js'
import { gpuWishOf } from './gpu-wish-of.js'
import type { NodePlan } from './node-plan.js'
import { placeNodes, type Placement } from './placement.js'

export interface RemoteQuestion {
  readonly plans: readonly NodePlan[]
  readonly taken: readonly LiveClaim[]
  readonly seekerOf: (plan: NodePlan) => readonly GpuSeeker[]
  readonly env: NodeJS.ProcessEnv
}

/** What nodes on other machines would get there; those machines are asked at once. */
export async function planRemoteGpus(question: RemoteQuestion): Promise<readonly (readonly [string, Placement])[]> {
  const hosts = new Map<string, { host: HostPlan; plans: NodePlan[] }>()
  for (const plan of question.plans) {
    const { host } = plan.group
    if (host === undefined || gpuWishOf(plan) === undefined) continue
    const key = machineKey(host)
    const at = hosts.get(key) ?? { host, plans: [] }
    at.plans.push(plan)
    hosts.set(key, at)
  }
  const placed = await Promise.all([...hosts.values()].map(({ host, plans }) => placedOn(host, plans, question)))
  return placed.flat()
}

async function placedOn(
  host: HostPlan,
  plans: readonly NodePlan[],
  { taken, seekerOf, env }: RemoteQuestion,
): Promise<(readonly [string, Placement])[]> {
  const watch = createRemoteGpuWatch(host, env, systemClock)
  try {
    const { gpus, problems, away } = await watch.read(0)
    if (away === undefined)
      return [
        ...placeNodes({
          gpus,
          seekers: plans.flatMap(seekerOf),
          taken: usesOf(taken),
          problems: problems.map((problem) => problem.message),
        }),
      ]
    return plans.map((plan) => [plan.id, { id: plan.id, gpus: [], notes: [], refusal: away }] as const)
  } finally {
    watch.close()
  }
}
