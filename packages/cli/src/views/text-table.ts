import { fit, lineWidth, span } from './board/index.js'
import { sanitize } from './sanitize.js'

export type Cell = string | number | null | undefined

/** Rows under headings, two spaces apart; numbers to the right, nothing as `-`. Cells may be foreign text. No trailing spaces, ends with a line break. */
export function textTable(headings: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const cells = rows.map((row) => headings.map((_, column) => cellText(row[column])))
  const widths = headings.map((heading, column) => Math.max(widthOf(heading), ...cells.map((row) => widthOf(row[column] ?? ''))))
  const rightward = headings.map((_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'))
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, column) => fit(text, widths[column] ?? 0, rightward[column] === true ? 'right' : 'left'))
      .join('  ')
      .trimEnd()
  return `${[line(headings), ...cells.map(line)].join('\n')}\n`
}

function cellText(cell: Cell): string {
  if (cell === null || cell === undefined || cell === '') return '-'
  return sanitize(String(cell))
}

function widthOf(text: string): number {
  return lineWidth([span(text)])
}
