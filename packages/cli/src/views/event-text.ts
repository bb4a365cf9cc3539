import type { BalancerEvent } from '@plimsoll/core'
import { sanitize } from './sanitize.js'
import { clockTime } from './units.js'

/** One event as one line of a plain log. */
export function eventText(event: BalancerEvent): string {
  // Messages about nodes name their node themselves.
  const pool = event.pool === undefined || event.message.includes(event.pool) ? [] : [event.pool]
  const place = event.kind === 'node' ? [] : [event.kind, ...pool]
  return sanitize([clockTime(event.atMs), ...place, event.message].join('  '))
}
