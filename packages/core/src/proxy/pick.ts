import type { RosterNode } from '../contracts/index.js'
import type { Admitted } from './admit.js'
import type { ProxyContext } from './proxy-context.js'

/** The node for the next attempt: routable, speaks the face, not tried before. Undefined when none is left. */
export function pick(context: ProxyContext, request: Admitted, tried: readonly RosterNode[]): RosterNode | undefined {
  const routable = context.rosters.current().routable(request.pool.name)
  const fits = (node: RosterNode): boolean => node.dialect.paths[request.face] !== undefined && !tried.some((other) => other.id === node.id)
  // Most of the time every node fits, and the roster's own list will do.
  const candidates = routable.every(fits) ? routable : routable.filter(fits)
  if (candidates.length === 0) return undefined
  return candidates[request.pool.strategy.pick(request.facts, candidates)]
}
