import { cut, wrapWords } from './board/index.js'
import { sanitize } from './sanitize.js'

/** Text, which goes on in a next line where it is too long, or a row of a table, which is cut. */
export type TextLine = string | { readonly row: string }

/** Lines made safe, none wider than `columns`; undefined: as wide as they are. Ends with a line break. */
export function fitText(lines: readonly TextLine[], columns: number | undefined): string {
  const fitted = lines.flatMap((line) =>
    typeof line === 'string' ? wrapped(sanitize(line), columns) : [cutTo(sanitize(line.row), columns)],
  )
  return `${fitted.map((line) => line.trimEnd()).join('\n')}\n`
}

/** The lines of a table that is safe already, cut. */
export function fitTable(table: string, columns: number | undefined): string {
  return table
    .split('\n')
    .map((line) => cutTo(line, columns))
    .join('\n')
}

/** What goes on stands further in. */
function wrapped(text: string, columns: number | undefined): string[] {
  if (columns === undefined || text.length <= columns) return [text]
  const [first = '', ...more] = wrapWords(text.trim(), Math.max(1, columns - 4))
  return [`  ${first}`, ...more.map((line) => `    ${line}`)]
}

function cutTo(line: string, columns: number | undefined): string {
  return columns === undefined ? line : cut(line, columns)
}
