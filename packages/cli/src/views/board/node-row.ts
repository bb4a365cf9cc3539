import type { NodeState, NodeStatus } from '@plimsoll/core'
import { duration, percent } from '../units.js'
import { bar } from './bar.js'
import { GAP, totalWidth, type Column, type TablePlan } from './columns.js'

import { cutLine, fit, fitLine, span, type Line } from './spans.js'

/** What one row is drawn with. `width` counts the whole line, pointer included. */
export interface RowFrame {
  readonly plan: TablePlan
  readonly width: number
  readonly selected: boolean
  /** False for the second and later nodes of a host: the name stands once over its group. */
  readonly showHost: boolean
  readonly nowMs: number
}

const INDENT = 3
export const ROW_MARGIN = INDENT + 1

const WITHOUT_NUMBERS: ReadonlySet<NodeState> = new Set(['declared', 'starting', 'loading', 'warming', 'asleep', 'stopped', 'failed'])

/** One node. One that serves nothing has no numbers to show, so the rest of its row says why; any other that is not ready keeps those that are about now. */
export function nodeRow(node: NodeStatus, frame: RowFrame): Line {
  const { plan, selected } = frame
  const pointer = span(selected ? ` ${plan.context.glyphs.pointer} ` : ' '.repeat(INDENT), 'accent')
  const last = lastColumn(node)
  const lastAt = plan.columns.findIndex((column) => column.title === last)
  const shown = lastAt === -1 ? plan.columns : plan.columns.slice(0, lastAt + 1)
  const cells = shown.flatMap((column, index) => cellOf(node, column, frame, index === 0))
  if (lastAt === -1) return cutLine([pointer, ...cells.slice(0, -1)], frame.width)
  return cutLine([pointer, ...cells, ...explanation(node, frame, frame.width - INDENT - totalWidth(shown) - GAP)], frame.width)
}

/** The column after which the reason stands; undefined where there is none to tell. */
function lastColumn(node: NodeStatus): string | undefined {
  if (WITHOUT_NUMBERS.has(node.state) && node.inFlight === 0) return 'STATE'
  return node.state === 'ready' || node.reason === null ? undefined : 'WAIT'
}

/** The titles over the rows. */
export function tableHead(plan: TablePlan): Line {
  const titles = plan.columns.map((column) => fit(column.title, column.width, column.align))
  return [span(' '.repeat(INDENT) + titles.join(' '.repeat(GAP)).trimEnd(), 'dim')]
}

function cellOf(node: NodeStatus, column: Column, frame: RowFrame, first: boolean): Line {
  const hidden = column.title === 'HOST' && !frame.showHost
  const line = hidden ? [] : column.cell(node, frame.plan.context)
  const strong = first && frame.selected ? line.map((part) => span(part.text, 'bold')) : line
  return [...fitLine(strong, column.width, { align: column.align, mark: frame.plan.context.glyphs.more }), span(' '.repeat(GAP))]
}

function explanation(node: NodeStatus, { plan, nowMs }: RowFrame, room: number): Line {
  const { glyphs } = plan.context
  const tone = node.state === 'failed' ? 'bad' : node.state === 'suspect' ? 'warn' : 'dim'
  const waiting = node.state === 'starting' || node.state === 'loading' || node.state === 'warming'
  const since = waiting && node.sinceMs > 0 && nowMs > node.sinceMs ? duration(Math.floor((nowMs - node.sinceMs) / 1000) * 1000) : ''
  const progress = node.progress === null ? [] : [...bar(node.progress, 10, glyphs), span(` ${percent(node.progress)}  `)]
  const said = [since, node.reason ?? ''].filter((part) => part !== '').join('  ')
  return cutLine([...progress, span(said, tone)], Math.max(0, room), glyphs.more)
}
