import type { Glyphs } from './glyphs.js'

/** What every cell may know besides its node. */
export interface TableContext {
  readonly glyphs: Glyphs
  /** Cells of the in-flight bar; 0 shows the number alone. */
  readonly barWidth: number
  /** In-flight count at which a bar is full. */
  readonly fullBar: number
}
