/**
 * A shell command cut into lines of at most `width` characters that can still be copied and run: a backslash before a break between words,
 * a bare break after a comma inside a single-quoted JSON body (white space to JSON), and where neither is near, a break that POSIX shells
 * join again. The lines must be printed from the first column: a joined word has no room for an indent.
 */
export function wrapCommand(command: string, width: number): string[] {
  const room = Math.max(MIN_WIDTH, width)
  const lines: string[] = []
  let rest: Rest = { text: command, quoted: false, inString: false }
  while (rest.text.length > room) {
    const { end, next } = breakOf(rest, room)
    lines.push(end)
    rest = next
  }
  return [...lines, rest.text]
}

const MIN_WIDTH = 20
const INDENT = '  '

interface Rest {
  readonly text: string
  /** Whether the text begins inside single quotes. */
  readonly quoted: boolean
  /** Whether it begins inside a JSON string, where white space would change the meaning. */
  readonly inString: boolean
}

interface Break {
  /** The line that ends here. */
  readonly end: string
  readonly next: Rest
}

/** The last good place where a line of this width may end, preferring white space to a cut word. */
function breakOf({ text, ...begun }: Rest, width: number): Break {
  let { quoted, inString } = begun
  let soft: Break | undefined
  let hard: Break = { end: text, next: { text: '', quoted: false, inString: false } }
  for (let at = 0; at < width; at += 1) {
    const char = text[at]
    if (at <= width - 2 && at > 0 && text[at - 1] !== '\\') hard = hardBreak(text, at, { quoted, inString })
    if (char === "'") quoted = !quoted
    else if (quoted && char === '"' && text[at - 1] !== '\\') inString = !inString
    const indented = text.slice(0, at).trim() === ''
    if (!quoted && char === ' ' && !indented && at + 2 <= width)
      soft = { end: `${text.slice(0, at)} \\`, next: nextLine(text.slice(at + 1), false) }
    if (quoted && !inString && char === ',') soft = { end: text.slice(0, at + 1), next: nextLine(text.slice(at + 1), true) }
  }
  return soft ?? hard
}

function nextLine(text: string, quoted: boolean): Rest {
  return { text: INDENT + text, quoted, inString: false }
}

/** A backslash and a line break vanish between characters of a word; inside quotes the quote is closed before and opened after. */
function hardBreak(text: string, at: number, { quoted, inString }: Omit<Rest, 'text'>): Break {
  const [before, after] = [text.slice(0, at), text.slice(at)]
  return quoted
    ? { end: `${before}'\\`, next: { text: `'${after}`, quoted: false, inString } }
    : { end: `${before}\\`, next: { text: after, quoted: false, inString: false } }
}
