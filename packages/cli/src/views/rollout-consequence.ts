import type { PoolStatus, RolloutStatus } from '@plimsoll/core'
import { changeText, verdictText } from './board/index.js'
import { count } from './units.js'

/** What it means to go on before its time. */
export function promoteText({ pool, judge, from, to }: RolloutStatus): string {
  const said = judge === null ? 'nothing was judged yet' : `the judge says: ${verdictText(judge)}`
  return `Promote ${to.revision} of ${pool} now? It takes all traffic from ${from.revision}, and nothing watches it on the way; ${said}.`
}

/** What it means to go back. */
export function abortText({ pool, from, to }: RolloutStatus, pools: readonly PoolStatus[]): string {
  const nodes = pools.find(({ name }) => name === pool)?.nodes ?? []
  const inFlight = nodes.filter(({ id }) => to.nodes.includes(id)).reduce((sum, node) => sum + node.inFlight, 0)
  const end = inFlight === 0 ? '' : `; ${count(inFlight)} in flight at ${to.revision} end first`
  return `Abort ${changeText({ from, to }, '->')} in ${pool}? ${from.revision} takes all its traffic again${end}.`
}
