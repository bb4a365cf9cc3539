import { fit, span, type Glyphs, type Line } from '../views/board/index.js'
import type { LiveMode } from './live-client.js'

type KeyHelp = readonly [key: string, short: string, long: string]

/** The keys in the order of the footer; the footer shows the short words, help the long ones. */
function keys(mode: LiveMode, glyphs: Glyphs): KeyHelp[] {
  return [
    [glyphs.arrows, 'select', 'select a node (also k and j, Page, Home, End)'],
    ['enter', 'details', 'everything known of the selected node'],
    ['d', 'drain', 'no new requests for the node; running ones end'],
    ['u', 'resume', 'the node takes requests again'],
    ['r', 'restart', 'drain the node and start it anew; asks first'],
    ['l', 'logs', "the newest lines of the node's log"],
    ['w', 'why', 'why the newest traced request of the node went there'],
    ['/', 'filter', 'only nodes whose name, host, engine or state contains the text'],
    ['c', 'curl', 'show or hide a request to copy'],
    ['?', 'help', 'this list'],
    ['q', 'quit', mode === 'up' ? 'stop everything, or leave it running' : 'leave; the balancer keeps running'],
  ]
}

/** In the footer only while a rollout runs. */
const rolloutKeys: readonly KeyHelp[] = [
  ['p', 'pause', 'pause the rollout of the selected pool, or go on'],
  ['P', 'promote', 'take the new revision live at once; asks first'],
  ['A', 'abort', 'take the new revision back; asks first'],
]

export function helpLines(mode: LiveMode, glyphs: Glyphs): Line[] {
  const list = [...keys(mode, glyphs), ...rolloutKeys].map(([key, , long]): Line => [span(` ${fit(key, 8)}`, 'bold'), span(long)])
  return [...list, ...LEGEND.map((text): Line => [span(` ${text}`, 'dim')])]
}

const LEGEND = [
  'WAIT: requests without a first token yet. TOKENS: prompt and expected output in flight.',
  'TTFT: time to the first token. TPOT: time per token after it. Both of the last minute; only streamed answers have them, - means that none came.',
]

/** As many keys as fit; quit and help always do, or nobody would find the way out. */
export function footerLine(
  mode: LiveMode,
  { width, rollout }: { readonly width: number; readonly rollout: boolean },
  glyphs: Glyphs,
): Line {
  const all = rollout ? [...rolloutKeys, ...keys(mode, glyphs)] : keys(mode, glyphs)
  const must = new Set(['?', 'q'])
  let room = width - all.filter(([key]) => must.has(key)).reduce((sum, key) => sum + size(key), 0)
  const shown = all.filter((key) => must.has(key[0]) || (room -= size(key)) >= 0)
  return shown.flatMap(([key, short]) => [span(` ${key}`, 'bold'), span(` ${short} `, 'dim')])
}

function size([key, short]: KeyHelp): number {
  return key.length + short.length + 3
}
