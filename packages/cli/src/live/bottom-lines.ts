import { span, wrapWords, type Glyphs, type Line, type Tone } from '../views/board/index.js'
import { clockTime, count } from '../views/units.js'
import { footerLine } from './help-lines.js'
import { running } from './rollout-keys.js'
import type { Prompt, ViewState } from './view-state.js'

/** The last lines of the screen: questions and news take the place of the key list, and are never cut. */
export function bottomLines(state: ViewState, width: number, glyphs: Glyphs): Line[] {
  const said = state.prompt === undefined ? news(state) : question(state.prompt, state)
  return said === undefined
    ? [footerLine(state.mode, { width, rollout: running(state).length > 0 }, glyphs)]
    : wrapWords(said.text, width - 1).map((text) => [span(` ${text}`, said.tone)])
}

/** Why there is nothing new to see. */
export function lostText({ lost }: ViewState): string {
  return lost === undefined ? '' : `the balancer does not answer, since ${clockTime(lost.sinceMs)} (${lost.reason}); still trying`
}

interface Said {
  readonly text: string
  readonly tone: Tone
}

function question(prompt: Prompt, { filter }: ViewState): Said {
  if (prompt.kind === 'filter') return { text: `filter: ${filter}_   (enter keeps, esc clears)`, tone: 'bold' }
  if (prompt.kind === 'confirm') return { text: `${prompt.consequence} y/N`, tone: 'warn' }
  return { text: 'Quit?  s  stop balancer and nodes    l  leave them running    esc  stay', tone: 'warn' }
}

function news(state: ViewState): Said | undefined {
  const { notice, lost, filter, stopping } = state
  if (stopping === 'forced') return { text: 'stopping now: running requests are cut', tone: 'warn' }
  if (stopping === 'draining') return { text: `stopping: ${inFlight(state)} in flight may end first; ctrl-c again cuts them`, tone: 'warn' }
  if (notice !== undefined) return notice
  if (lost !== undefined) return { text: lostText(state), tone: 'bad' }
  return filter === '' ? undefined : { text: `filter: ${filter}   (esc shows all)`, tone: 'bold' }
}

function inFlight({ status }: ViewState): string {
  return count(status?.pools.reduce((sum, pool) => sum + pool.inFlight, 0) ?? 0)
}
