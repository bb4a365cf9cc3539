import type { BalancerStatus } from '@plimsoll/core'
import {
  boardRows,
  cut,
  glyphsFor,
  gpuRows,
  headerLines,
  nodesInOrder,
  plainText,
  rolloutRows,
  safeStatus,
  whyLines,
  span,
  type Line,
} from './board/index.js'

export interface SnapshotOptions {
  /** Width to fit into; a pipe has none, so 120. */
  readonly columns?: number
  readonly nowMs?: number
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** The live view as one plain text, without colour, for a stdout that is no terminal. Ends with a line break. */
export function renderSnapshot(status: BalancerStatus, options: SnapshotOptions = {}): string {
  const { columns: width = 120, nowMs = Date.now(), env = process.env } = options
  const glyphs = glyphsFor(env)
  const safe = safeStatus(status)
  const view = { width, glyphs, nowMs, gpus: safe.gpus }
  const board = [...boardRows(safe.pools, view), ...gpuRows(safe, view), ...rolloutRows(safe.pools, view)].map((row) => row.line)
  const why = whyLines(nodesInOrder(safe.pools), width)
  const lines: Line[] = [
    ...headerLines({ status: safe, nowMs }, width, glyphs),
    [],
    ...board,
    ...(why.length === 0 ? [] : [[], ...why]),
    ...quarantineLines(safe, width),
  ]
  return `${lines.map((line) => plainText(line).trimEnd()).join('\n')}\n`
}

/** Somebody is refused for what is written in no table. */
function quarantineLines({ quarantine = [] }: BalancerStatus, width: number): Line[] {
  if (quarantine.length === 0) return []
  const what = quarantine.length === 1 ? 'a request is' : `${quarantine.length} requests are`
  return [[], [span(cut(` ${what} refused because nodes crashed on it: lb quarantine list`, width), 'warn')]]
}
