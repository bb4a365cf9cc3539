import { LbError } from '../errors/index.js'
import { placeOf, type Problem } from './problem.js'
import { renderProblems } from './render-problems.js'

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
