import type { AbsentNode } from '../contracts/index.js'
import type { Node } from './node.js'

/** What to tell of a node that is not ready; undefined of one that is. */
export function absentOf(node: Node): AbsentNode | undefined {
  const { state, reason, progress } = node
  if (state === 'ready') return undefined
  const { group, pool } = node.plan
  return Object.freeze({
    id: node.id,
    pool: pool.name,
    state,
    reason,
    progress,
    ...(group.labels === undefined ? {} : { labels: group.labels }),
    mayComeBack:
      state !== 'stopped' && state !== 'draining' && !(state === 'failed' && node.isGivenUp) && !(state === 'asleep' && node.isHeldBack),
  })
}
