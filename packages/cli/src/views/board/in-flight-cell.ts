import type { NodeStatus } from '@plimsoll/core'
import { count } from '../units.js'
import { bar } from './glyphs.js'
import { span, type Span } from './spans.js'
import type { TableContext } from './table-context.js'

/** `███░░░░░░░   14`: a bar for the eye, the number for certainty. */
export function inFlightCell(node: NodeStatus, { glyphs, barWidth, fullBar }: TableContext): Span {
  const tone = node.inFlight === 0 ? 'dim' : 'plain'
  const text = count(node.inFlight).padStart(4)
  return span(barWidth === 0 ? text : `${bar(node.inFlight / fullBar, barWidth, glyphs)} ${text}`, tone)
}
