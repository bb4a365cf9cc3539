import type { GpuStatus, NodeStatus } from '@plimsoll/core'
import { count, durationPair, percent } from '../units.js'
import { toneOf, type Glyphs } from './glyphs.js'
import { placeLabel } from './gpu-rows.js'
import { inFlightCell } from './in-flight-cell.js'
import { cellWidth, span, type Line } from './spans.js'
import type { TableContext } from './table-context.js'

export interface Column {
  readonly title: string
  readonly width: number
  readonly align: 'left' | 'right'
  readonly cell: (node: NodeStatus, context: TableContext) => Line
}

export interface TablePlan {
  readonly columns: readonly Column[]
  readonly context: TableContext
}

export const GAP = 2
const BAR_WIDTHS = [10, 6, 4, 0] as const
const EMPTY: Line = [span('-', 'dim')]

/** What the table is drawn with besides its nodes. */
export interface TableFacts {
  readonly glyphs: Glyphs
  readonly gpus?: readonly GpuStatus[]
}

/**
 * The columns that fit into `width`. Bars shrink first, then columns leave from the right; the first two always stay.
 * All pools share one plan, so that their columns stand under each other.
 */
export function planTable(nodes: readonly NodeStatus[], width: number, { glyphs, gpus = [] }: TableFacts): TablePlan {
  const fullBar = Math.max(8, ...nodes.map((node) => node.inFlight))
  const plans = BAR_WIDTHS.map((barWidth) => ({ context: { glyphs, barWidth, fullBar }, columns: allColumns(nodes, gpus, barWidth) }))
  const whole = plans.find((plan) => totalWidth(plan.columns) <= width)
  if (whole !== undefined) return whole
  // A short bar is worth more than a long one that pushes a column out, so what is dropped is measured with the shorter bar.
  const narrow = plans[1] ?? plans[0]
  if (narrow === undefined) throw new RangeError('no bar width is declared')
  let columns = narrow.columns
  while (columns.length > 2 && totalWidth(columns) > width) columns = columns.slice(0, -1)
  return { ...narrow, columns }
}

export function totalWidth(columns: readonly Column[]): number {
  return columns.reduce((sum, column) => sum + column.width, 0) + GAP * Math.max(0, columns.length - 1)
}

function allColumns(nodes: readonly NodeStatus[], gpus: readonly GpuStatus[], barWidth: number): Column[] {
  const places = nodes.some((node) => node.host !== 'here') ? [textColumn('HOST', nodes, { of: (node) => node.host, min: 4, max: 14 })] : []
  return [
    { ...textColumn('NODE', nodes, { of: (node) => node.name, min: 6, max: 20 }), cell: (node) => [span(node.name)] },
    ...places,
    stateColumn,
    ...gpuColumn(nodes, gpus),
    { title: 'IN FLIGHT', width: Math.max(9, barWidth + 5), align: 'left', cell: inFlightCell },
    { title: 'WAIT', width: 4, align: 'right', cell: (node) => number(node.waiting) },
    { title: 'TTFT p50/p95', width: 14, align: 'right', cell: (node) => pair(node.ttftMs) },
    { title: 'TOK/S', width: 5, align: 'right', cell: (node) => number(node.tokensPerSecond) },
    { title: 'ERR', width: 4, align: 'right', cell: (node) => [span(count(node.errors), node.errors > 0 ? 'bad' : 'dim')] },
    { title: 'TPOT p50/p95', width: 13, align: 'right', cell: (node) => pair(node.tpotMs) },
    { title: 'TOKENS', width: 6, align: 'right', cell: (node) => number(node.tokensInFlight) },
    textColumn('ENGINE', nodes, { of: engineOf, min: 6, max: 16 }),
  ]
}

const stateColumn: Column = {
  title: 'STATE',
  width: 10,
  align: 'left',
  cell: (node, { glyphs }) => [span(`${glyphs.states[node.state] ?? '?'} ${node.state}`, toneOf(node.state))],
}

/** Numbers of the node's accelerators and how busy they are; there only where nodes have some. */
function gpuColumn(nodes: readonly NodeStatus[], gpus: readonly GpuStatus[]): Column[] {
  const of = (node: NodeStatus): string => {
    const own = gpus.filter((gpu) => node.gpus?.includes(gpu.key) === true)
    const busy = own.map((gpu) => gpu.utilization).filter((value) => value !== null)
    const share = busy.length === 0 ? '' : `  ${percent(busy.reduce((sum, value) => sum + value, 0) / busy.length)}`
    return own.length === 0 ? '-' : `${own.map(placeLabel).join(',')}${share}`
  }
  return nodes.some((node) => of(node) !== '-') ? [textColumn('GPU', nodes, { of, min: 6, max: 16 })] : []
}

interface TextSource {
  readonly of: (node: NodeStatus) => string
  readonly min: number
  readonly max: number
}

function textColumn(title: string, nodes: readonly NodeStatus[], { of, min, max }: TextSource): Column {
  const widest = Math.max(min, ...nodes.map((node) => cellWidth(of(node))))
  return { title, width: Math.min(max, widest), align: 'left', cell: (node) => [span(of(node), 'dim')] }
}

function engineOf(node: NodeStatus): string {
  return node.version === null ? node.engine : `${node.engine} ${node.version}`
}

function number(value: number): Line {
  return [value > 0 ? span(count(value)) : span('0', 'dim')]
}

function pair(quantiles: NodeStatus['ttftMs']): Line {
  return quantiles === null ? EMPTY : [span(durationPair(quantiles.p50, quantiles.p95))]
}
