import type { BalancerEvent } from '@plimsoll/core'
import { clockTime } from '../units.js'
import { toneOf, type Glyphs } from './glyphs.js'
import { cutLine, span, type Line } from './spans.js'

/** `14:02:18  ◐ chat/laptop draining: asked by you`, newest first. */
export function eventLines(events: readonly BalancerEvent[], width: number, glyphs: Glyphs): Line[] {
  return events.map((event) => cutLine(eventLine(event, glyphs), width, glyphs.more))
}

function eventLine(event: BalancerEvent, glyphs: Glyphs): Line {
  const sign = event.to === undefined ? span(glyphs.dot, 'dim') : span(glyphs.states[event.to] ?? '?', toneOf(event.to))
  return [span(` ${clockTime(event.atMs)}  `, 'dim'), sign, span(` ${subject(event)}${event.message}`)]
}

/** The name of the node or the pool, unless the message says it already. */
function subject({ node, pool, message }: BalancerEvent): string {
  const name = node ?? pool
  return name === undefined || message.includes(name) ? '' : `${name}  `
}
