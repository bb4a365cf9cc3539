import {
  boardRows,
  cutLine,
  gpuRows,
  headerLines,
  rolloutRows,
  span,
  wrapCommand,
  type BoardRow,
  type Glyphs,
  type Line,
} from '../views/board/index.js'
import { paneLines } from './bottom-pane.js'
import { bottomLines, lostText } from './bottom-lines.js'
import { visiblePools, type Pane, type ViewState } from './view-state.js'

export interface FrameSize {
  readonly columns: number
  readonly rows: number
}

const MIN_BOARD = 4
const MIN_PANE = 3
const ROOMY_ROWS = 30

/** The whole screen: exactly `rows` lines, none wider than `columns`. */
export function frameLines(state: ViewState, { columns: width, rows }: FrameSize, glyphs: Glyphs): Line[] {
  const top = header(state, width, glyphs)
  const bottom = bottomLines(state, width, glyphs)
  const board = boardOrHint(boardOf(state, width, glyphs), state)
  // On a small screen what was asked for by a key goes before the request that always stands there.
  const request = state.pane === 'events' || rows >= ROOMY_ROWS ? curlLines(state, width) : []
  const whole = rows - top.length - bottom.length - 1
  const rollouts = stripLines(state, width, glyphs).slice(0, Math.max(0, Math.floor((whole - MIN_BOARD) / 2)))
  const room = rollouts.length === 0 ? whole : whole - rollouts.length - 1
  const heights = shareRoom(room, { curl: request.length, board: board.length }, state.pane)
  const shown = windowOf(board, heights.board, state.selected)
  const curl = heights.curl === 0 ? [] : [rule(width, 0, glyphs), ...request]
  const pane =
    heights.pane === 0 ? [] : [rule(width, 0, glyphs), ...paneLines(state, { width, height: heights.pane }, glyphs).slice(0, heights.pane)]
  const strip = rollouts.length === 0 ? [] : [rule(width, 0, glyphs), ...rollouts]
  const below = [strip, curl, pane].find((part) => part.length > 0)
  if (below !== undefined) below[0] = rule(width, shown.below, glyphs)
  const body = [...top, rule(width, shown.above, glyphs), ...shown.lines, ...strip, ...curl, ...pane].slice(
    0,
    Math.max(0, rows - bottom.length),
  )
  const blank = Array.from({ length: Math.max(0, rows - bottom.length - body.length) }, (): Line => [])
  return [...body, ...blank, ...bottom].map((line) => cutLine(line, width, glyphs.more))
}

interface Heights {
  readonly board: number
  readonly curl: number
  readonly pane: number
}

/** Who gets the `room` between header and footer: the board what it needs, but never all of what the pane asked for wants. Each lower part costs a rule more. */
function shareRoom(room: number, wanted: { curl: number; board: number }, pane: Pane): Heights {
  const curl = wanted.curl > 0 && room - wanted.curl - 1 >= MIN_BOARD ? wanted.curl : 0
  const left = Math.max(0, curl === 0 ? room : room - curl - 1)
  const paneWanted = pane === 'events' ? MIN_PANE : Math.max(MIN_PANE, Math.floor(left / 2))
  const withPane = left - paneWanted - 1
  const board = Math.min(wanted.board, withPane >= MIN_BOARD ? withPane : left)
  return { board, curl, pane: Math.max(0, left - board - 1) }
}

function header(state: ViewState, width: number, glyphs: Glyphs): Line[] {
  const { status, lost, nowMs } = state
  if (status === undefined)
    return [[span(lost === undefined ? ' asking the balancer' : ` ${lostText(state)}`, lost === undefined ? 'dim' : 'bad')]]
  return headerLines({ status, nowMs, ...(lost === undefined ? {} : { lostSinceMs: lost.sinceMs }) }, width, glyphs)
}

function boardOf(state: ViewState, width: number, glyphs: Glyphs): BoardRow[] {
  const { status, nowMs, selected } = state
  const view = { width, glyphs, nowMs, selected, gpus: status?.gpus ?? [] }
  const pools = boardRows(visiblePools(state), view)
  return pools.length === 0 || status === undefined ? pools : [...pools, ...gpuRows(status, view)]
}

function boardOrHint(board: BoardRow[], { status, filter }: ViewState): BoardRow[] {
  if (board.length > 0 || status === undefined) return board
  return [{ line: [span(filter === '' ? ' no pools yet' : ` no node matches ${filter}   Esc shows all`, 'dim')] }]
}

/** Rollouts stand by themselves, for they are what somebody watches; the filter does not hide them. */
function stripLines({ status, nowMs }: ViewState, width: number, glyphs: Glyphs): Line[] {
  const rows = rolloutRows(status?.pools ?? [], { width, glyphs, nowMs })
  return rows.slice(1).map((row) => row.line)
}

/** The request to copy, without a frame around it and broken only where a shell goes on reading. */
function curlLines({ curl, showCurl }: ViewState, width: number): Line[] {
  return showCurl && curl !== '' ? wrapCommand(curl, width).map((text) => [span(text)]) : []
}

interface Window {
  readonly lines: Line[]
  readonly above: number
  readonly below: number
}

/** `height` rows around the selected one; the first rows when nothing is selected. */
function windowOf(rows: readonly BoardRow[], height: number, selected: string | undefined): Window {
  const at = rows.findIndex((row) => row.nodeId !== undefined && row.nodeId === selected)
  const above = Math.min(Math.max(0, at - height + 2), Math.max(0, rows.length - height))
  return { lines: rows.slice(above, above + height).map((row) => row.line), above, below: Math.max(0, rows.length - above - height) }
}

/** A line across, which tells how many rows are hidden behind it. */
function rule(width: number, hidden: number, glyphs: Glyphs): Line {
  const label = hidden === 0 ? '' : ` ${hidden} more `
  return [span(glyphs.rule.repeat(3) + label + glyphs.rule.repeat(Math.max(0, width - 3 - label.length)), 'dim')]
}
