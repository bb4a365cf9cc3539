import type { RosterNode } from '../contracts/index.js'
import type { Admitted } from './admit.js'
import type { ProxyContext } from './proxy-context.js'

/** The node for the next attempt: routable, speaks the face, not tried before. Undefined when none is left. */
export function pick(context: ProxyContext, request: Admitted, tried: ReadonlySet<string>): RosterNode | undefined {
  const candidates = context.rosters
    .current()
    .routable(request.pool.name)
    .filter((node) => !tried.has(node.id) && node.dialect.paths[request.face] !== undefined)
  if (candidates.length === 0) return undefined
  return candidates[request.pool.strategy.pick(request.facts, candidates)]
}
