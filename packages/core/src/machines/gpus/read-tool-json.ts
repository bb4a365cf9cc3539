const MOST_STARTS = 40

/** The JSON in what a tool printed: warnings may stand before it, some with brackets of their own. Undefined where there is none. */
export function readToolJson(text: string): unknown {
  const starts = [...text.matchAll(/[[{]/g)].slice(0, MOST_STARTS).map((match) => match.index)
  for (const start of starts) {
    const end = text.lastIndexOf(text[start] === '{' ? '}' : ']')
    if (end < start) continue
    const value = parse(text.slice(start, end + 1))
    if (typeof value === 'object' && value !== null) return value
  }
  return undefined
}

/** The value as keys and values; empty where it is something else. */
export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}

export function rowsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
