import type { BalancerEvent } from '@plimsoll/core'
import { sanitize } from './sanitize.js'
import { clockTime } from './units.js'

/** One event as one line of a plain log. */
export function eventText(event: BalancerEvent): string {
  const move = event.from !== undefined && event.to !== undefined ? `${event.from} -> ${event.to}` : ''
  const parts = [clockTime(event.atMs), event.node ?? event.kind, move, event.message].filter((part) => part !== '')
  return sanitize(parts.join('  '))
}
