import type { Palette } from './screen.js'

const COLOUR: Palette = {
  plain: {},
  dim: { color: 'gray' },
  bold: { bold: true },
  good: { color: 'green' },
  warn: { color: 'yellow' },
  bad: { color: 'red' },
  accent: { color: 'cyan' },
}

const MONOCHROME: Palette = { plain: {}, dim: {}, bold: {}, good: {}, warn: {}, bad: {}, accent: {} }

/** No colour with NO_COLOR (any value but the empty one, as no-color.org says) or on a dumb terminal. */
export function paletteFor(env: Readonly<Record<string, string | undefined>>): Palette {
  const plain = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb'
  return plain ? MONOCHROME : COLOUR
}
