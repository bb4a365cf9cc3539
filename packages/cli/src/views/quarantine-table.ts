import type { QuarantinedStatus } from '@plimsoll/core'
import { textTable } from './text-table.js'
import { bytes } from './units.js'

/** Ends with a line break. */
export function quarantineTable(bodies: readonly QuarantinedStatus[], nowMs: number): string {
  return textTable(
    ['FINGERPRINT', 'POOL', 'SIZE', 'CRASHED', 'REFUSED', 'LEFT'],
    bodies.map((body) => [body.fingerprint, body.pool, bytes(body.bytes), body.nodes.join(', '), body.refused, left(body.untilMs - nowMs)]),
  )
}

function left(ms: number): string {
  return ms < 60_000 ? 'under a minute' : `${Math.ceil(ms / 60_000)} min`
}
