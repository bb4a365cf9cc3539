import type { NodeStatus } from '@plimsoll/core'
import { count } from '../units.js'
import { bar } from './bar.js'
import { span, type Line } from './spans.js'
import type { TableContext } from './table-context.js'

/** `███░░░░░░░   14`: a bar for the eye, the number for certainty. */
export function inFlightCell(node: NodeStatus, { glyphs, barWidth, fullBar }: TableContext): Line {
  const text = span(count(node.inFlight).padStart(4), node.inFlight === 0 ? 'dim' : 'plain')
  return barWidth === 0 ? [text] : [...bar(node.inFlight / fullBar, barWidth, glyphs), span(' '), text]
}
