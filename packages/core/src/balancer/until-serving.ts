import type { Clock } from '../base/index.js'
import { isSettled, type Fleet } from '../nodes/index.js'
import type { Topology } from '../topology/index.js'

const POLL_MS = 10

/** Resolves when every pool can answer or has said why it cannot, or the time is up. */
export async function untilServing(
  fleet: Fleet,
  topology: Topology,
  { clock, waitMs }: { readonly clock: Clock; readonly waitMs: number },
): Promise<void> {
  const deadlineMs = clock.nowMs() + waitMs
  const open = (): boolean =>
    topology.pools.some(({ name }) => {
      const nodes = fleet.nodes().filter((node) => node.plan.pool.name === name)
      return fleet.current().routable(name).length === 0 && nodes.some((node) => !isSettled(node.state))
    })
  while (open() && clock.nowMs() < deadlineMs) await new Promise<void>((resolve) => void setTimeout(resolve, POLL_MS))
}
