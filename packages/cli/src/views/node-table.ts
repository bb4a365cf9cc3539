import type { NodeStatus } from '@plimsoll/core'
import { textTable } from './text-table.js'

export function nodeTable(nodes: readonly NodeStatus[]): string {
  return textTable(
    ['NODE', 'STATE', 'ENGINE', 'VERSION', 'URL', 'PID', 'IN FLIGHT', 'RESTARTS', 'REASON'],
    nodes.map((node) => [node.id, node.state, node.engine, node.version, node.url, node.pid, node.inFlight, node.restarts, node.reason]),
  )
}
