import type { RecordedNode } from '../state/index.js'
import type { Node } from './node.js'

/** What the state file says of a node; undefined while nothing runs there. */
export function recordOf(node: Node): RecordedNode | undefined {
  const { endpoint } = node
  if (endpoint === undefined || node.state === 'stopped' || (node.state === 'asleep' && node.restsBy === 'stop')) return undefined
  const { url, mark, process, logPath, launch } = endpoint
  return {
    id: node.id,
    engine: node.plan.group.engine,
    url,
    mark,
    ...(process === undefined ? {} : { process }),
    ...(logPath === undefined ? {} : { logPath }),
    ...(launch === undefined ? {} : { launch }),
  }
}
