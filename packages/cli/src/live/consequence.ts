import type { NodeStatus, PoolStatus } from '@plimsoll/core'
import { count } from '../views/units.js'

/** What an action does to the pool, said before it is done. */
export function consequenceOf(action: 'drain' | 'restart', node: NodeStatus, pools: readonly PoolStatus[]): string {
  const others = readyOthers(node, pools)
  const running = node.inFlight === 1 ? '1 request in flight ends first' : `${count(node.inFlight)} requests in flight end first`
  const rest =
    others === 0
      ? 'no other node of its pool is ready: new requests will fail until one is'
      : `${others} other ready ${others === 1 ? 'node takes' : 'nodes take'} its share`
  const verb = action === 'drain' ? 'Drain' : 'Restart'
  return `${verb} ${node.id}? ${node.inFlight === 0 ? '' : `${running}; `}${rest}.`
}

/** True when draining would leave the pool without a ready node, which is worth a question. */
export function isLastReady(node: NodeStatus, pools: readonly PoolStatus[]): boolean {
  return node.state === 'ready' && readyOthers(node, pools) === 0
}

function readyOthers(node: NodeStatus, pools: readonly PoolStatus[]): number {
  const pool = pools.find((candidate) => candidate.nodes.some((other) => other.id === node.id))
  return pool?.nodes.filter((other) => other.id !== node.id && other.state === 'ready').length ?? 0
}
