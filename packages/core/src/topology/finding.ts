import { keyPathText, type KeyPath } from './key-path.js'
import type { Problem } from './problem.js'

/** A stretch of the file: 1-based line and column, width in characters on that line. */
export interface Mark {
  readonly line: number
  readonly column: number
  readonly width: number
}

/** A mistake before its place in the file is known. */
export interface Finding {
  readonly path: KeyPath
  /** Whether the key or the value is to blame. */
  readonly at: 'key' | 'value'
  /** Known where no key path can say it, such as a syntax error. */
  readonly mark?: Mark
  readonly message: string
  readonly expected?: string
  readonly suggestion?: string
  readonly hint?: string
  readonly secret?: boolean
}

/** Where keys and values of a document stand. */
export class PlaceMap {
  private readonly keys = new Map<string, Mark>()
  private readonly values = new Map<string, Mark>()

  add(path: KeyPath, marks: { readonly key?: Mark | undefined; readonly value?: Mark | undefined }): void {
    const id = JSON.stringify(path)
    if (marks.key !== undefined) this.keys.set(id, marks.key)
    if (marks.value !== undefined) this.values.set(id, marks.value)
  }

  /** The best mark for a path: the asked half, the other half, then the nearest parent. */
  find(path: KeyPath, at: 'key' | 'value'): Mark | undefined {
    for (let length = path.length; length >= 0; length--) {
      const id = JSON.stringify(path.slice(0, length))
      const preferKey = length < path.length || at === 'key'
      const mark = preferKey ? (this.keys.get(id) ?? this.values.get(id)) : (this.values.get(id) ?? this.keys.get(id))
      if (mark !== undefined) return mark
    }
    return undefined
  }
}

/** Findings with their places, in the order of the file; the same thing said twice at one place is said once. */
export function placeFindings(findings: readonly Finding[], places: PlaceMap, file: string): Problem[] {
  const seen = new Set<string>()
  const problems: Problem[] = []
  for (const finding of findings) {
    const problem = problemOf(finding, places, file)
    const id = `${problem.line}:${problem.column}:${problem.keyPath}:${problem.message}`
    if (!seen.has(id)) problems.push(problem)
    seen.add(id)
  }
  return problems.sort((a, b) => a.line - b.line || a.column - b.column)
}

function problemOf(finding: Finding, places: PlaceMap, file: string): Problem {
  const { path, at, mark: own, ...words } = finding
  const mark = own ?? places.find(path, at) ?? { line: 0, column: 0, width: 1 }
  return { file, ...mark, width: Math.max(1, mark.width), keyPath: keyPathText(path), ...words }
}
