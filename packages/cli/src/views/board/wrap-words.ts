import { cellWidth, cut } from './spans.js'

/** Text in lines of at most `width` cells, broken between words; runs of blanks stay, a word that is too long alone is cut. */
export function wrapWords(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/(?<=\s)(?=\S)/)) {
    if (line !== '' && cellWidth(line + word.trimEnd()) > width) {
      lines.push(line.trimEnd())
      line = ''
    }
    line += word
  }
  return [...lines, line.trimEnd()].map((part) => cut(part, width))
}
