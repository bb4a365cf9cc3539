import { withMembers, type Topology } from '../topology/index.js'
import type { Assembly } from './assembly.js'
import { routesDiffer } from './routing.js'

/**
 * Makes routing, then nodes, those of the same declaration whose pools run otherwise: only what differs. A change of places alone is none of routing's, and
 * no change reads the gateway's keys again: a key file that is gone must not stop a rollout on its way back. `before`: what was applied last; undefined: nobody knows.
 */
export function applySteered(
  { dataPath, threads, discovery, fleet }: Pick<Assembly, 'dataPath' | 'threads' | 'discovery' | 'fleet'>,
  topology: Topology,
  before: Topology | undefined,
): Promise<void> {
  const isSteered = before === undefined || routesDiffer(before, topology)
  if (isSteered) dataPath.steer(topology)
  // Groups whose servers a source tells may come and go.
  discovery.use(topology)
  const whole = withMembers(topology, discovery.members())
  // Before the roster that names the new ones.
  threads?.members(whole, isSteered ? 'steered' : 'members')
  return fleet.apply(whole)
}
