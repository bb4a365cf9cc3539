/**
 * Reads TypeScript just well enough to tell code from comments and strings. A parser would be exact, but TypeScript 7 offers none to JavaScript,
 * and the checks need no more than this.
 */
type Kind = 'code' | 'comment' | 'text'

/** The source with comments blanked out; strings stay. Line breaks stay where they were. */
export function withoutComments(source: string): string {
  return blank(source, (kind) => kind === 'comment')
}

/** The source with comments and what stands inside quotes blanked out. */
export function codeOnly(source: string): string {
  return blank(source, (kind) => kind !== 'code')
}

function blank(source: string, hidden: (kind: Kind) => boolean): string {
  return pieces(source)
    .map(([kind, text]) => (hidden(kind) ? text.replace(/[^\n]/g, ' ') : text))
    .join('')
}

const startsComment = /\/\/[^\n]*|\/\*[\s\S]*?\*\//y
const quoted = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/y
const regularExpression = /\/(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y
const templatePart = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*(?:`|\$\{)/y

function pieces(source: string): (readonly [Kind, string])[] {
  const found: (readonly [Kind, string])[] = []
  const depths: number[] = []
  let at = 0
  const take = (kind: Kind, text: string) => {
    found.push([kind, text])
    at += text.length
  }
  const template = () => {
    const part = match(templatePart, source, at) ?? source.slice(at)
    take('text', part)
    if (part.endsWith('${')) depths.push(0)
  }
  while (at < source.length) {
    const comment = match(startsComment, source, at)
    if (comment !== undefined) take('comment', comment)
    else if (source[at] === '`') {
      take('code', '`')
      template()
    } else if (source[at] === '}' && depths.at(-1) === 0) {
      depths.pop()
      take('code', '}')
      template()
    } else takeOne(found, source, at, depths, take)
  }
  return found
}

function takeOne(
  found: readonly (readonly [Kind, string])[],
  source: string,
  at: number,
  depths: number[],
  take: (kind: Kind, text: string) => void,
): void {
  const text = match(quoted, source, at) ?? (mayStartRegularExpression(found) ? match(regularExpression, source, at) : undefined)
  if (text !== undefined) return take('text', text)
  const character = source[at] ?? ''
  const depth = depths.at(-1)
  if (depth !== undefined && character === '{') depths[depths.length - 1] = depth + 1
  if (depth !== undefined && character === '}') depths[depths.length - 1] = depth - 1
  take('code', /[\w$]/.test(character) ? (match(/[\w$]+/y, source, at) ?? character) : character)
}

/** A slash divides after a value and opens a regular expression elsewhere. */
function mayStartRegularExpression(found: readonly (readonly [Kind, string])[]): boolean {
  for (let index = found.length - 1; index >= 0; index -= 1) {
    const [kind, text] = found[index] ?? ['code', '']
    if (kind === 'comment' || text.trim() === '') continue
    if (kind === 'text') return false
    return /^(return|typeof|case|of|in|await)$/.test(text) || !/[\w$)\]]$/.test(text)
  }
  return true
}

function match(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(source)?.[0]
}
