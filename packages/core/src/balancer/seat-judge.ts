import type { Clock } from '../base/index.js'
import { NodeJudge } from '../health/index.js'
import type { Belief } from '../insight/index.js'
import type { Fleet } from '../nodes/index.js'

/** The judge of nodes, told of who joins and leaves and of what becomes of them. */
export function seatJudge({ clock, fleet, belief }: { readonly clock: Clock; readonly fleet: Fleet; readonly belief: Belief }): NodeJudge {
  const judge = new NodeJudge({ clock, nodes: () => fleet.nodes(), inFlight: (node) => belief.of(node).inFlight })
  fleet.events.on('membership', () => judge.sync())
  fleet.events.on('changed', (change) => judge.changed(change))
  return judge
}
