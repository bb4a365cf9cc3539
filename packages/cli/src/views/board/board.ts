import type { PoolStatus } from '@plimsoll/core'
import type { BoardRow, BoardView } from './board-row.js'
import { planTable } from './columns.js'
import { compactLines } from './compact-lines.js'
import { byHost, nodesInOrder } from './node-order.js'
import { nodeRow, ROW_MARGIN, tableHead, type RowFrame } from './node-row.js'
import { foldedPoolLine, poolHeadings } from './pool-line.js'
import { sourceLines } from './source-lines.js'
import type { Line } from './spans.js'
import { steeringLines } from './steering-lines.js'

/** Below this a row has no room for numbers worth a table. */
const COMPACT_BELOW = 60
/** Below this pools are one line each; only the one with the selection is open. */
const FOLD_BELOW = 72

/** Pools and their nodes, in the form that the width allows. */
export function boardRows(pools: readonly PoolStatus[], view: BoardView): BoardRow[] {
  if (view.width < COMPACT_BELOW) return compactLines(pools, view)
  const plan = planTable(nodesInOrder(pools), view.width - ROW_MARGIN, view)
  const frame = { ...view, plan, selected: false, showHost: true }
  const rows = pools.map((pool) => nodeRows(pool, frame, view.selected))
  if (view.width < FOLD_BELOW) return foldedRows(pools, rows, { ...view, head: tableHead(plan) })
  const headings = poolHeadings(pools, view.width, view.glyphs)
  return pools.flatMap((pool, index) => [
    { line: headings[index] ?? [] },
    // The titles stand once: all pools share their columns.
    ...(index === 0 ? [{ line: tableHead(plan) }] : []),
    ...(rows[index] ?? []),
    ...[...sourceLines(pool, view), ...steeringLines(pool, view)].map((line) => ({ line })),
  ])
}

function foldedRows(
  pools: readonly PoolStatus[],
  rows: readonly BoardRow[][],
  { head, ...view }: BoardView & { readonly head: Line },
): BoardRow[] {
  return pools.flatMap((pool, index) => {
    const open = pool.nodes.some((node) => node.id === view.selected)
    const steering = steeringLines(pool, view).map((line) => ({ line }))
    return [{ line: foldedPoolLine(pool, view.width, view.glyphs) }, ...(open ? [{ line: head }, ...(rows[index] ?? [])] : []), ...steering]
  })
}

function nodeRows(pool: PoolStatus, frame: RowFrame, selected: string | undefined): BoardRow[] {
  let lastHost: string | undefined
  return byHost(pool.nodes).map((node) => {
    const showHost = node.host !== lastHost
    lastHost = node.host
    return { nodeId: node.id, line: nodeRow(node, { ...frame, showHost, selected: node.id === selected }) }
  })
}
