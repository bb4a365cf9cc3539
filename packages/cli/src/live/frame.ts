import { boardRows, cutLine, headerLines, span, wrapCommand, type BoardRow, type Glyphs, type Line } from '../views/board/index.js'
import { paneLines } from './bottom-pane.js'
import { bottomLines, lostText } from './bottom-lines.js'
import { visiblePools, type ViewState } from './view-state.js'

export interface FrameSize {
  readonly columns: number
  readonly rows: number
}

const MIN_BOARD = 4
const MIN_PANE = 3

/** The whole screen: exactly `rows` lines, none wider than `columns`. */
export function frameLines(state: ViewState, { columns: width, rows }: FrameSize, glyphs: Glyphs): Line[] {
  const rule: Line = [span(glyphs.rule.repeat(width), 'dim')]
  const top = [...header(state, width, glyphs), rule]
  const footer = bottomLines(state, width, glyphs)
  const board = boardRows(visiblePools(state), { width, glyphs, nowMs: state.nowMs, selected: state.selected })
  const curl = curlLines(state, width)
  const free = Math.max(0, rows - top.length - footer.length)
  const curlBlock = curl.length > 0 && free - curl.length - 1 >= MIN_BOARD ? [rule, ...curl] : []
  const room = free - curlBlock.length
  const paneWanted = state.pane === 'events' ? MIN_PANE : Math.max(MIN_PANE, Math.floor(room / 2))
  const boardHeight = Math.min(Math.max(1, board.length), room - paneWanted - 1 >= MIN_BOARD ? room - paneWanted - 1 : room)
  const paneHeight = Math.max(0, room - boardHeight - 1)
  const pane = paneHeight === 0 ? [] : [rule, ...paneLines(state, { width, height: paneHeight }, glyphs).slice(0, paneHeight)]
  const body = [...top, ...windowOf(boardOrHint(board, state), boardHeight, state.selected), ...curlBlock, ...pane].slice(
    0,
    Math.max(0, rows - footer.length),
  )
  const blank = Array.from({ length: Math.max(0, rows - footer.length - body.length) }, (): Line => [])
  return [...body, ...blank, ...footer].map((line) => cutLine(line, width, glyphs.more))
}

function header(state: ViewState, width: number, glyphs: Glyphs): Line[] {
  const { status, lost, nowMs } = state
  if (status === undefined)
    return [[span(lost === undefined ? ' asking the balancer' : ` ${lostText(state)}`, lost === undefined ? 'dim' : 'bad')]]
  return headerLines({ status, nowMs, ...(lost === undefined ? {} : { lostSinceMs: lost.sinceMs }) }, width, glyphs)
}

function boardOrHint(board: BoardRow[], { status, filter }: ViewState): BoardRow[] {
  if (board.length > 0 || status === undefined) return board
  return [{ line: [span(filter === '' ? ' no pools yet' : ` no node matches ${filter}   Esc shows all`, 'dim')] }]
}

/** The request to copy, without a frame around it and broken only where a shell goes on reading. */
function curlLines({ curl, showCurl }: ViewState, width: number): Line[] {
  return showCurl && curl !== '' ? wrapCommand(curl, width - 1).map((text) => [span(` ${text}`)]) : []
}

/** `height` rows around the selected one; the first rows when nothing is selected. */
function windowOf(rows: readonly BoardRow[], height: number, selected: string | undefined): Line[] {
  const at = rows.findIndex((row) => row.nodeId !== undefined && row.nodeId === selected)
  const first = Math.min(Math.max(0, at - height + 2), Math.max(0, rows.length - height))
  return rows.slice(first, first + height).map((row) => row.line)
}
