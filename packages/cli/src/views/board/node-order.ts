import type { NodeStatus, PoolStatus } from '@plimsoll/core'

/** Nodes as they stand on the screen from top to bottom: by pool, then by host in the order of first mention. */
export function nodesInOrder(pools: readonly PoolStatus[]): NodeStatus[] {
  return pools.flatMap((pool) => byHost(pool.nodes))
}

/** Nodes of one host together; their order within a host is kept. */
export function byHost(nodes: readonly NodeStatus[]): NodeStatus[] {
  const groups = new Map<string, NodeStatus[]>()
  for (const node of nodes) groups.set(node.host, [...(groups.get(node.host) ?? []), node])
  return [...groups.values()].flat()
}
