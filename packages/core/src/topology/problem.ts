import { LbError } from '../errors/index.js'
import { renderProblems } from './render-problems.js'

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

/** Every mistake of one topology at once, in the order of the file. Code `LB_TOPOLOGY_INVALID`; the CLI leaves with exit code 2. */
export class TopologyErrors extends LbError {
  readonly problems: readonly Problem[]

  constructor(
    problems: readonly Problem[],
    private readonly text: string | undefined,
  ) {
    const [first] = problems
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
    super(`${first === undefined ? 'invalid topology' : `${placeOf(first)}: ${first.message}`}${more}`, {
      code: 'LB_TOPOLOGY_INVALID',
      source: 'operator',
      hint: 'lb config shows the resolved topology; docs/reference/topology.md lists every key',
    })
    this.name = 'TopologyErrors'
    this.problems = problems
  }

  /** The text for people: place, lines with carets, suggestion, hint; ends with the count. No colour, no trailing newline. */
  render(): string {
    return renderProblems(this.problems, this.text)
  }
}

/** `lb.yaml:14:9`, or `lb.config.ts: pools.chat.nodes[0]` where there are no lines. */
export function placeOf(problem: Problem): string {
  if (problem.line > 0) return `${problem.file}:${problem.line}:${problem.column}`
  return problem.keyPath === '' ? problem.file : `${problem.file}: ${problem.keyPath}`
}
