import { consequenceOf, isLastReady } from './consequence.js'
import { rolloutKey } from './rollout-keys.js'
import { moveSelection, selectedNode, withSelection, type Pane, type Prompt, type ViewState, type Wanted } from './view-state.js'

/** The parts of Ink's key event that the view looks at. */
export interface KeyPress {
  readonly upArrow?: boolean
  readonly downArrow?: boolean
  readonly pageUp?: boolean
  readonly pageDown?: boolean
  readonly home?: boolean
  readonly end?: boolean
  readonly return?: boolean
  readonly escape?: boolean
  readonly backspace?: boolean
  readonly delete?: boolean
  readonly ctrl?: boolean
  readonly meta?: boolean
}

/** What a key asks of the world outside the state. */
export type Effect =
  | Wanted
  | { readonly kind: 'stop'; readonly force: boolean }
  | { readonly kind: 'leave' }
  | { readonly kind: 'tail' }
  | { readonly kind: 'why' }

export interface KeyResult {
  readonly state: ViewState
  readonly effect?: Effect
}

/** The whole keyboard as one pure function. */
export function pressKey(before: ViewState, input: string, key: KeyPress): KeyResult {
  const { notice: _read, ...state } = before
  if (key.ctrl === true && input === 'c') return interrupt(state)
  if (state.prompt?.kind === 'filter') return typeFilter(state, input, key)
  if (state.prompt !== undefined) return answer(state, state.prompt, input, key)
  return move(state, key) ?? command(state, input, key)
}

/** Ctrl-C: asks once, then stops, then forces; `lb top` has nothing to stop and leaves. */
function interrupt(state: ViewState): KeyResult {
  if (state.mode === 'top') return { state, effect: { kind: 'leave' } }
  if (state.stopping !== 'no') return { state: { ...state, stopping: 'forced' }, effect: { kind: 'stop', force: true } }
  return state.prompt?.kind === 'quit' ? beginStop(state) : { state: { ...state, prompt: { kind: 'quit' } } }
}

function beginStop(state: ViewState): KeyResult {
  return { state: { ...withoutPrompt(state), stopping: 'draining' }, effect: { kind: 'stop', force: false } }
}

function typeFilter(state: ViewState, input: string, key: KeyPress): KeyResult {
  if (key.escape === true) return { state: withSelection({ ...withoutPrompt(state), filter: '' }) }
  if (key.return === true) return { state: withoutPrompt(state) }
  const erase = key.backspace === true || key.delete === true
  const typed = key.ctrl === true || key.meta === true ? '' : input.replace(/[^\x20-\x7e\u00a1-\uffff]/g, '')
  const filter = erase ? state.filter.slice(0, -1) : state.filter + typed
  return { state: withSelection({ ...state, filter }) }
}

/** `y` confirms, anything else is the safe answer. */
function answer(state: ViewState, prompt: Prompt, input: string, key: KeyPress): KeyResult {
  const after = withoutPrompt(state)
  if (prompt.kind === 'quit') {
    if (input === 's') return beginStop(state)
    if (input === 'l') return { state: after, effect: { kind: 'leave' } }
    return key.escape === true || input === 'n' || input === 'q' || key.return === true ? { state: after } : { state }
  }
  if (prompt.kind === 'confirm' && (input === 'y' || input === 'Y')) {
    return { state: after, effect: prompt.wanted }
  }
  return { state: after }
}

function move(state: ViewState, key: KeyPress): KeyResult | undefined {
  const step = [
    [key.upArrow, -1],
    [key.downArrow, 1],
    [key.pageUp, -10],
    [key.pageDown, 10],
    [key.home, Number.NEGATIVE_INFINITY],
    [key.end, Number.POSITIVE_INFINITY],
  ].find(([pressed]) => pressed === true)?.[1]
  if (typeof step !== 'number') return undefined
  const moved = moveSelection(state, step)
  return withEffect(moved)
}

/** These panes show what must be asked for. */
function withEffect(state: ViewState): KeyResult {
  if (state.pane === 'logs') return { state, effect: { kind: 'tail' } }
  return state.pane === 'why' ? { state, effect: { kind: 'why' } } : { state }
}

function command(state: ViewState, input: string, key: KeyPress): KeyResult {
  if (key.escape === true) return { state: withSelection({ ...state, pane: 'events', filter: '' }) }
  if (key.return === true) return { state: toggle(state, 'details') }
  switch (input) {
    case 'k':
      return { state: moveSelection(state, -1) }
    case 'j':
      return { state: moveSelection(state, 1) }
    case 'd':
    case 'u':
    case 'r':
      return nodeAction(state, input)
    case 'p':
    case 'P':
    case 'A':
      return rolloutKey(state, input)
    case 'l':
      return withEffect(toggle(state, 'logs'))
    case 'w':
      return withEffect(toggle(state, 'why'))
    case 'c':
      return { state: { ...state, showCurl: !state.showCurl } }
    case '/':
      return { state: { ...state, prompt: { kind: 'filter' } } }
    case '?':
      return { state: toggle(state, 'help') }
    case 'q':
      return state.mode === 'top' ? { state, effect: { kind: 'leave' } } : { state: { ...state, prompt: { kind: 'quit' } } }
    default:
      return { state }
  }
}

function nodeAction(state: ViewState, input: 'd' | 'u' | 'r'): KeyResult {
  const node = selectedNode(state)
  if (node === undefined) return { state: { ...state, notice: { text: 'no node is selected', tone: 'warn' } } }
  const pools = state.status?.pools ?? []
  if (input === 'u') return { state, effect: { kind: 'resume', nodeId: node.id } }
  if (input === 'd' && !isLastReady(node, pools)) return { state, effect: { kind: 'drain', nodeId: node.id } }
  const action = input === 'd' ? 'drain' : 'restart'
  const consequence = consequenceOf(action, node, pools)
  return { state: { ...state, prompt: { kind: 'confirm', wanted: { kind: action, nodeId: node.id }, consequence } } }
}

function toggle(state: ViewState, pane: Pane): ViewState {
  return { ...state, pane: state.pane === pane ? 'events' : pane }
}

function withoutPrompt(state: ViewState): ViewState {
  const { prompt: _answered, ...rest } = state
  return rest
}
