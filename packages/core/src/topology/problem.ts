/** One mistake in a topology, with its place. */
export interface Problem {
  /** As it should be shown; `topology` where a program handed it in. */
  readonly file: string
  /** 1-based; 0 where only the key path is known. */
  readonly line: number
  /** 1-based; 0 where only the key path is known. */
  readonly column: number
  /** Characters that the caret underlines, at least 1. */
  readonly width: number
  /** `pools.chat.nodes[0].launch`; empty for the whole. */
  readonly keyPath: string
  readonly message: string
  /** What would have been right; stands beside the caret. */
  readonly expected?: string
  /** The nearest known word. */
  readonly suggestion?: string
  /** What to do, one line. */
  readonly hint?: string
  /** The marked text may be a secret and is masked wherever it would be shown. */
  readonly secret?: boolean
}

/** `lb.yaml:14:9`, or `lb.config.ts: pools.chat.nodes[0]` where there are no lines. */
export function placeOf(problem: Problem): string {
  if (problem.line > 0) return `${problem.file}:${problem.line}:${problem.column}`
  return problem.keyPath === '' ? problem.file : `${problem.file}: ${problem.keyPath}`
}
