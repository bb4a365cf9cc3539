import type { NodeWarmer, RosterSource } from '../contracts/index.js'
import type { Standing } from './standing.js'

export interface WarmerHouse {
  /** The main thread's: it has heard of what all others keep. */
  readonly warmer: () => NodeWarmer
  readonly rosters: () => RosterSource
  readonly standing: () => Standing
}

/** Warms new nodes, but for those that requests in line wait for because there is no other. */
export function seatWarmer({ warmer, rosters, standing }: WarmerHouse): NodeWarmer {
  const isAwaited = (pool: string): boolean =>
    (standing().inLine.get(pool) ?? 0) > 0 && rosters().current().routable(pool)[0]?.state !== 'ready'
  return { warm: (order) => (isAwaited(order.node.pool) ? undefined : warmer().warm(order)) }
}
