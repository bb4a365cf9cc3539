import { cut, eventLines, span, wrapWords, type Glyphs, type Line } from '../views/board/index.js'
import { detailLines } from './detail-lines.js'
import { helpLines } from './help-lines.js'
import { selectedNode, type ViewState } from './view-state.js'

/** The pane under the board: events, one node's facts, its log, or the keys. `height` bounds what is worth making. */
export function paneLines(state: ViewState, size: { width: number; height: number }, glyphs: Glyphs): Line[] {
  switch (state.pane) {
    case 'help':
      return helpLines(state.mode, glyphs)
    case 'details':
      return detailLines(selectedNode(state), size.width, { nowMs: state.nowMs, gpus: state.status?.gpus ?? [] })
    case 'logs':
      return logLines(state, size, glyphs)
    case 'why':
      return whyPane(state, size.width)
    default:
      return state.events.length === 0
        ? [[span(' no events yet', 'dim')]]
        : eventLines(state.events.slice(0, size.height), size.width, glyphs)
  }
}

/** A long line goes on below itself. */
function whyPane({ why, selected }: ViewState, width: number): Line[] {
  if (why === undefined || why.nodeId !== selected) return [[span(` looking for a traced request of ${selected ?? 'no node'}`, 'dim')]]
  const title: Line = [span(` why a request went to ${why.nodeId}`, 'bold'), span('   Esc closes', 'dim')]
  return [title, ...why.lines.flatMap((text) => wrapWords(text, width - 1).map((line): Line => [span(` ${line}`)]))]
}

/** The newest lines that fit, the last at the bottom as in a terminal. */
function logLines({ log, selected }: ViewState, { width, height }: { width: number; height: number }, glyphs: Glyphs): Line[] {
  if (log === undefined || log.nodeId !== selected) return [[span(` reading the log of ${selected ?? 'no node'}`, 'dim')]]
  const title: Line = [span(` log of ${log.nodeId}`, 'bold'), span('   Esc closes', 'dim')]
  if (log.problem !== undefined) return [title, [span(` ${log.problem}`, 'warn')]]
  if (log.lines.length === 0) return [title, [span(' nothing was written yet', 'dim')]]
  const shown = log.lines.slice(-Math.max(1, height - 1))
  return [title, ...shown.map((line): Line => [span(` ${cut(line, width - 1, glyphs.more)}`)])]
}
