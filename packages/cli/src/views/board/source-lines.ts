import type { PoolStatus } from '@plimsoll/core'
import { duration } from '../units.js'
import type { BoardView } from './board-row.js'
import { cutLine, span, type Line } from './spans.js'

/** Where a pool's nodes are told: `gpu from dns:models.internal:8000   3 members, 4 s ago`, with what is wrong. */
export function sourceLines({ sources = [] }: PoolStatus, { width, glyphs, nowMs }: BoardView): Line[] {
  return sources.map(({ group, from, members, updatedAtMs, error, failingSinceMs, notes }) => {
    const age = updatedAtMs === null ? 'never answered' : `${duration(Math.max(0, nowMs - updatedAtMs))} ago`
    const failing = failingSinceMs === null ? '' : ` for ${duration(Math.max(0, nowMs - failingSinceMs))}`
    const line: Line = [
      span(`   ${group} from ${from}   `, 'dim'),
      span(`${members} ${members === 1 ? 'member' : 'members'}, ${age}`),
      ...(error === null ? [] : [span(`   failing${failing}: ${error}`, 'warn')]),
      ...notes.map((note) => span(`   ${note}`, 'dim')),
    ]
    return cutLine(line, width, glyphs.more)
  })
}
