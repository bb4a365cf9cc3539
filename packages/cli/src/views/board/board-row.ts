import type { GpuStatus } from '@plimsoll/core'
import type { Glyphs } from './glyphs.js'
import type { Line } from './spans.js'

/** A line of the board; lines of nodes say which, so that a caller can keep the selected one in sight. */
export interface BoardRow {
  readonly line: Line
  readonly nodeId?: string
}

export interface BoardView {
  readonly width: number
  readonly glyphs: Glyphs
  readonly nowMs: number
  readonly selected?: string | undefined
  /** Accelerators of the machine, for what rows say of theirs. */
  readonly gpus?: readonly GpuStatus[]
}
