import type { Glyphs } from './glyphs.js'
import { span, type Line } from './spans.js'

/** A bar of `width` cells filled to `ratio`; anything above nothing shows at least one cell. */
export function bar(ratio: number, width: number, glyphs: Glyphs): Line {
  const share = Math.min(1, Math.max(0, ratio))
  const full = share === 0 ? 0 : Math.min(width, Math.max(1, Math.round(share * width)))
  return [span(glyphs.barFull.repeat(full), 'accent'), span(glyphs.barEmpty.repeat(width - full), 'dim')]
}
