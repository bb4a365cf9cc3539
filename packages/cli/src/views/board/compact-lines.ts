import type { NodeStatus, PoolStatus } from '@plimsoll/core'
import { count, duration } from '../units.js'
import type { BoardRow, BoardView } from './board-row.js'
import { toneOf } from './glyphs.js'
import { byHost } from './node-order.js'
import { cutLine, justify, span, type Line } from './spans.js'
import { steeringLines } from './steering-lines.js'

/** Below 60 columns: one line for a pool, one short line for a node. */
export function compactLines(pools: readonly PoolStatus[], view: BoardView): BoardRow[] {
  return pools.flatMap((pool) => [
    { line: heading(pool, view) },
    ...byHost(pool.nodes).map((node) => ({ nodeId: node.id, line: nodeLine(node, view) })),
    ...steeringLines(pool, view).map((line) => ({ line })),
  ])
}

function heading(pool: PoolStatus, { width, glyphs }: BoardView): Line {
  const left: Line = [span(` ${pool.name}`, 'bold'), span(`  ${count(pool.inFlight)} in flight, ${count(pool.waiting)} waiting`)]
  const right: Line = pool.ttftMs === null ? [] : [span(duration(pool.ttftMs.p50), 'dim')]
  return justify(left, right, width) ?? cutLine(left, width, glyphs.more)
}

function nodeLine(node: NodeStatus, { width, glyphs, selected }: BoardView): Line {
  const chosen = node.id === selected
  const left: Line = [
    span(chosen ? `${glyphs.pointer} ` : '  ', 'accent'),
    span(`${glyphs.states[node.state] ?? '?'} ${node.state.padEnd(9)}`, toneOf(node.state)),
    span(node.name, chosen ? 'bold' : 'plain'),
  ]
  const right: Line = [
    span(count(node.inFlight), node.inFlight > 0 ? 'plain' : 'dim'),
    span(node.ttftMs === null ? '        -' : duration(node.ttftMs.p50).padStart(9), 'dim'),
  ]
  return justify(left, right, width) ?? cutLine(left, width, glyphs.more)
}
