/**
 * A shell command cut into lines of at most `width` cells that can still be copied and run: a backslash before a break between words, and
 * inside a single-quoted JSON body a bare break after a comma, where JSON allows white space.
 */
export function wrapCommand(command: string, width: number): string[] {
  const lines: string[] = []
  let rest = command
  while (rest.length > width) {
    const { at, mark, skip } = breakOf(rest, width)
    if (at <= 0) break
    lines.push(rest.slice(0, at) + mark)
    rest = CONTINUATION + rest.slice(at + skip)
  }
  return [...lines, rest]
}

const CONTINUATION = '  '

interface Break {
  readonly at: number
  readonly mark: string
  /** Characters of the command that the break replaces. */
  readonly skip: number
}

/** The last place where a line of this width may end, preferring one between words. */
function breakOf(text: string, width: number): Break {
  let [quoted, inString] = [false, false]
  let best: Break = { at: 0, mark: '', skip: 0 }
  for (let i = 0; i < text.length; i += 1) {
    const char = text[i]
    if (char === "'") quoted = !quoted
    else if (quoted && char === '"' && text[i - 1] !== '\\') inString = !inString
    else if (!quoted && char === ' ' && i > CONTINUATION.length && i + 2 <= width) best = { at: i, mark: ' \\', skip: 1 }
    else if (quoted && !inString && char === ',' && i + 1 <= width) best = { at: i + 1, mark: '', skip: 0 }
    if (i >= width) break
  }
  return best
}
