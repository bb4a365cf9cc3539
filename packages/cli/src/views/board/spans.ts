/** A line is a row of spans: text with a tone. The tone becomes colour on a terminal that has it and nothing elsewhere, so text must carry the meaning. */

export type Tone = 'plain' | 'dim' | 'bold' | 'good' | 'warn' | 'bad' | 'accent'

export interface Span {
  readonly text: string
  readonly tone: Tone
}

export type Line = readonly Span[]

export function span(text: string, tone: Tone = 'plain'): Span {
  return { text, tone }
}

export function plainText(line: Line): string {
  return line.map((part) => part.text).join('')
}

export function lineWidth(line: Line): number {
  return line.reduce((sum, part) => sum + cellWidth(part.text), 0)
}

/** Terminal cells that a text takes: two for East Asian wide characters and emoji, none for combining marks. */
export function cellWidth(text: string): number {
  // The quick answer holds for nearly every text; the loop below costs a hundred times as much.
  if (/^[\u0020-\u02ff\u2000-\u22ff\u2500-\u25ff]*$/.test(text)) return text.length
  let width = 0
  for (const char of text) width += charWidth(char)
  return width
}

/** At most `width` cells; what is cut ends in the mark. */
export function cut(text: string, width: number, mark = '…'): string {
  if (cellWidth(text) <= width) return text
  const room = width - cellWidth(mark)
  let [kept, used] = ['', 0]
  for (const char of text) {
    used += charWidth(char)
    if (used > room) break
    kept += char
  }
  return room < 0 ? '' : kept + mark
}

/** Exactly `width` cells. */
export function fit(text: string, width: number, align: 'left' | 'right' = 'left', mark = '…'): string {
  const short = cut(text, width, mark)
  const padding = ' '.repeat(Math.max(0, width - cellWidth(short)))
  return align === 'left' ? short + padding : padding + short
}

/** The line without what lies beyond `width`. */
export function cutLine(line: Line, width: number, mark = '…'): Line {
  const kept: Span[] = []
  let left = width
  for (const part of line) {
    const needed = cellWidth(part.text)
    if (needed > left) return [...kept, span(cut(part.text, left, mark), part.tone)]
    kept.push(part)
    left -= needed
  }
  return kept
}

/** Exactly `width` cells. */
export function fitLine(line: Line, width: number, { align = 'left', mark = '…' }: { align?: 'left' | 'right'; mark?: string } = {}): Line {
  const short = cutLine(line, width, mark)
  const padding = span(' '.repeat(Math.max(0, width - lineWidth(short))))
  return align === 'left' ? [...short, padding] : [padding, ...short]
}

/** `left` and `right` at the two edges, at least two cells apart; undefined when they do not fit. */
export function justify(left: Line, right: Line, width: number): Line | undefined {
  const gap = width - lineWidth(left) - lineWidth(right)
  return gap < 2 ? undefined : [...left, span(' '.repeat(gap)), ...right]
}

function charWidth(char: string): number {
  if (/^\p{Mark}$/u.test(char)) return 0
  return WIDE.test(char) ? 2 : 1
}

/** Unicode TR11 wide and full-width blocks, coarsely, with the emoji that terminals draw wide. */
const WIDE =
  /^(?:[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation})$/u
