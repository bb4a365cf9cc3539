import type { NodeState, NodeStatus } from '@plimsoll/core'
import { toneOf } from './glyphs.js'
import { cut, span, type Line } from './spans.js'
import { wrapWords } from './wrap-words.js'

/** States in which somebody will want to know everything. */
const TROUBLED: ReadonlySet<NodeState> = new Set(['failed', 'suspect'])

/** Under the board, where a row has no room: the whole reason of every node in trouble with its engine's last lines, and what was warned of before launches. */
export function whyLines(nodes: readonly NodeStatus[], width: number): Line[] {
  return nodes.flatMap((node) => [...(TROUBLED.has(node.state) ? troubleLines(node, width) : []), ...warningLines(node, width)])
}

function troubleLines(node: NodeStatus, width: number): Line[] {
  const [first = '', ...more] = wrapWords(`${node.id}: ${node.reason ?? node.state}`, width - 3)
  return [
    [span(` ${first}`, toneOf(node.state))],
    ...more.map((text): Line => [span(`   ${text}`, toneOf(node.state))]),
    ...node.lastLines.map((text): Line => [span(`   | ${cut(text, width - 5)}`, 'dim')]),
  ]
}

function warningLines(node: NodeStatus, width: number): Line[] {
  return node.warnings.flatMap((warning) => wrapWords(`${node.id}: ${warning}`, width - 1).map((text): Line => [span(` ${text}`, 'warn')]))
}
