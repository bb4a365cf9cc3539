import { setTimeout as sleep } from 'node:timers/promises'
import type { BalancerStatus, NodeStatus, PoolStatus } from '@plimsoll/core'
import type { ControlClient } from './control-client.js'

export interface WaitOptions {
  readonly onStatus?: (status: BalancerStatus) => void
  readonly signal?: AbortSignal
}

const LOOK_EVERY_MS = 50
const UNSETTLED: readonly NodeStatus['state'][] = ['declared', 'starting', 'loading']

/** Waits until each node is ready or has shown why it is not. */
export async function waitUntilSettled(client: ControlClient, options: WaitOptions = {}): Promise<BalancerStatus> {
  for (;;) {
    const status = await client.status()
    options.onStatus?.(status)
    if (nodesOf(status).every((node) => !UNSETTLED.includes(node.state))) return status
    await sleep(LOOK_EVERY_MS, undefined, options.signal === undefined ? {} : { signal: options.signal })
  }
}

export function nodesOf(status: BalancerStatus): readonly NodeStatus[] {
  return status.pools.flatMap((pool) => pool.nodes)
}

const ANSWERING: readonly NodeStatus['state'][] = ['ready', 'warming', 'asleep']

/** Pools that cannot answer anybody. One that rests is woken by whoever asks. */
export function poolsWithoutReady(status: BalancerStatus): readonly string[] {
  return status.pools
    .filter((pool) => !pool.nodes.some((node) => ANSWERING.includes(node.state)) && !isAtRest(pool))
    .map((pool) => pool.name)
}

/** It has no nodes, or none that is awake, because nobody asks. */
function isAtRest({ nodes, scale = [], residency }: PoolStatus): boolean {
  if (residency?.state === 'going-to-rest') return true
  return nodes.length === 0 && scale.some(({ follows, min }) => follows !== null && min === 0)
}
