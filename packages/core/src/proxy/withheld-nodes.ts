import type { LeftOut, NodeState, Roster, RosterNode } from '../contracts/index.js'

/** Why a state keeps requests away. */
const STATES: Readonly<Partial<Record<NodeState, string>>> = {
  declared: 'was not started yet',
  starting: 'is starting',
  loading: 'is loading',
  warming: 'is warming up, and others are ready',
  suspect: 'is suspected to be sick, and others are ready',
  draining: 'is draining: it ends what it has',
  asleep: 'is asleep: another pool has its place, and a request wakes it',
  stopped: 'is stopped',
  failed: 'has failed',
}

/** Nodes of a pool that take no new requests at all right now, and why: those that the roster does not hand out. */
export function withheldNodes(roster: Roster, pool: string, routable: readonly RosterNode[]): LeftOut[] {
  const served = routable[0]?.rank ?? 0
  return roster.nodes
    .filter((node) => node.pool === pool && !routable.includes(node))
    .map((node) =>
      node.state === 'ready'
        ? { node: node.id, filter: 'tier', reason: `is of tier ${node.rank ?? 0}; one of tier ${served} is ready` }
        : { node: node.id, filter: 'state', reason: stateReason(node, roster) },
    )
}

function stateReason({ id, pool, state, ejected }: RosterNode, roster: Roster): string {
  const reason = ejected === undefined ? undefined : roster.absent(pool).find((node) => node.id === id)?.reason
  return reason ?? STATES[state] ?? `is ${state}`
}
