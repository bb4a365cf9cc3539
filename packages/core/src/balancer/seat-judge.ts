import type { Clock } from '../base/index.js'
import { NodeJudge, type NodeJudgeOptions } from '../health/index.js'
import type { Belief } from '../insight/index.js'
import type { Fleet } from '../nodes/index.js'

interface JudgeSeat {
  readonly clock: Clock
  readonly fleet: Fleet
  readonly belief: Belief
  readonly canary: NonNullable<NodeJudgeOptions['canary']>
}

/** The judge of nodes, told of who joins and leaves and of what becomes of them. */
export function seatJudge({ clock, fleet, belief, canary }: JudgeSeat): NodeJudge {
  const judge = new NodeJudge({ clock, nodes: () => fleet.nodes(), inFlight: (node) => belief.of(node).inFlight, canary })
  fleet.events.on('membership', () => judge.sync())
  fleet.events.on('changed', (change) => judge.changed(change))
  return judge
}
