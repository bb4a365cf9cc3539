import type { RolloutStatus } from '@plimsoll/core'
import { rolloutText } from './rollout-text.js'
import { wrapWords } from './board/index.js'
import { sanitize } from './sanitize.js'

export interface RolloutScreenOptions {
  readonly nowMs: number
  readonly columns: number
  readonly rows: number
  /** Why there is nothing new to see. */
  readonly silence?: string | undefined
}

/** One rollout on the whole screen of a terminal: as many of the newest events as there is room for, and how to leave. Draws over what stands there. */
export function rolloutScreen(rollout: RolloutStatus, { nowMs, columns, rows, silence }: RolloutScreenOptions): string {
  const foot = footOf(rollout, silence).flatMap((text) => wrapWords(sanitize(text), columns - 3))
  const room = Math.max(1, rows - foot.length - 1)
  let events = rollout.events.length
  let lines = linesOf(rollout, { nowMs, columns, events })
  while (lines.length > room && events > 0) lines = linesOf(rollout, { nowMs, columns, events: (events -= 1) })
  const screen = [...lines.slice(0, room), '', ...foot.map((text) => `  ${text}`)]
  return `\u001b[H${screen.map((line) => `${line}\u001b[K`).join('\n')}\u001b[J`
}

function linesOf(rollout: RolloutStatus, options: { readonly nowMs: number; readonly columns: number; readonly events: number }): string[] {
  return rolloutText(rollout, options).trimEnd().split('\n')
}

function footOf({ phase, pool }: RolloutStatus, silence: string | undefined): string[] {
  if (silence !== undefined) return [`${silence}; waiting for it`]
  if (phase === 'paused') return [`lb rollout resume ${pool} goes on, lb rollout abort ${pool} takes it back`]
  if (phase === 'asking') return [`lb rollout promote ${pool} goes on, lb rollout abort ${pool} takes it back`]
  return ['Ctrl-C leaves; the rollout goes on']
}
