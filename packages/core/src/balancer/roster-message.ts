import type { Roster } from '../contracts/index.js'
import type { Topology } from '../topology/index.js'
import type { RosterMessage } from './thread-messages.js'

/** A roster as it crosses to a data thread: what is code there is made there. */
export function messageOfRoster(roster: Roster, topology: Topology): RosterMessage {
  return {
    version: roster.version,
    nodes: roster.nodes.map(({ dialect: _dialect, ...node }) => node),
    loading: topology.pools.map((pool) => pool.name).filter((pool) => roster.emptyReason(pool) === 'loading'),
    absent: topology.pools.flatMap((pool) => roster.absent(pool.name)),
  }
}
