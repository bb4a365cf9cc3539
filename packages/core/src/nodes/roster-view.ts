import type { AbsentNode, Roster, RosterNode } from '../contracts/index.js'
import { abilitiesOf } from './abilities.js'
import { absentOf } from './absent-nodes.js'
import type { Node } from './node.js'

/** A frozen picture of all nodes that have an endpoint. */
export function buildRoster(version: number, nodes: Iterable<Node>): Roster {
  const all = [...nodes]
  const loading = new Set(all.filter(isComing).map((node) => node.plan.pool.name))
  return rosterOf(
    version,
    all.flatMap((node) => viewOf(node) ?? []),
    loading,
    all.flatMap((node) => absentOf(node) ?? []),
  )
}

/** A roster of nodes as they were seen; `loading` names the pools of which a node still starts. */
export function rosterOf(
  version: number,
  views: readonly RosterNode[],
  loading: ReadonlySet<string>,
  absent: readonly AbsentNode[] = [],
): Roster {
  const byPool = new Map<string, readonly (readonly RosterNode[])[]>()
  for (const pool of new Set(views.map((view) => view.pool))) byPool.set(pool, tiersOf(views.filter((view) => view.pool === pool)))
  return Object.freeze({
    version,
    nodes: Object.freeze(views),
    routable: (pool: string) => byPool.get(pool)?.[0] ?? NONE,
    tiers: (pool: string) => byPool.get(pool) ?? NONE,
    absent: (pool: string) => absent.filter((node) => node.pool === pool),
    emptyReason: (pool: string) => (loading.has(pool) ? 'loading' : 'down'),
  })
}

const NONE: readonly never[] = []

/** Ready nodes by rank, the lowest first; where there is none, those that are in doubt. */
function tiersOf(views: readonly RosterNode[]): readonly (readonly RosterNode[])[] {
  const ready = views.filter((view) => view.state === 'ready')
  const ranks = [...new Set(ready.map(rankOf))].sort((a, b) => a - b)
  if (ranks.length > 0) return Object.freeze(ranks.map((rank) => Object.freeze(ready.filter((view) => rankOf(view) === rank))))
  const doubted = doubtedOf(views)
  return doubted.length > 0 ? Object.freeze([doubted]) : NONE
}

/** Nodes that are only suspected: a doubtful answer is better than a sure refusal. One that was ejected is the last to be asked, and one that hangs is not asked at all. */
function doubtedOf(views: readonly RosterNode[]): readonly RosterNode[] {
  const doubted = views.filter((view) => (view.state === 'suspect' || view.state === 'warming') && view.lost === undefined)
  const answering = doubted.filter((view) => view.ejected === undefined)
  return Object.freeze(answering.length > 0 ? answering : doubted)
}

function rankOf({ rank = 0 }: RosterNode): number {
  return rank
}

function isComing(node: Node): boolean {
  return node.state === 'declared' || node.state === 'starting' || node.state === 'loading'
}

/** One node as the data path sees it; undefined where nothing runs behind it. */
export function viewOf(node: Node): RosterNode | undefined {
  const endpoint = node.endpoint
  if (endpoint === undefined) return undefined
  const { group, pool } = node.plan
  return Object.freeze({
    id: node.id,
    index: node.index,
    weight: group.weight,
    ...(group.rank === undefined ? {} : { rank: group.rank }),
    ...(group.zone === undefined ? {} : { zone: group.zone }),
    ...(group.role === undefined ? {} : { role: group.role }),
    ...(group.price === undefined ? {} : { price: group.price }),
    ...(group.labels === undefined ? {} : { labels: group.labels }),
    ...(group.revision === undefined ? {} : { revision: group.revision }),
    ...abilitiesOf(node),
    ...node.standing.view,
    incarnation: node.incarnation,
    connectionKey: node.connectionKey,
    ...(node.lastEnd === undefined ? {} : { lastEnd: node.lastEnd }),
    pool: pool.name,
    engine: group.engine,
    state: node.state,
    url: endpoint.url,
    target: endpoint.target,
    dialect: endpoint.backend.dialect,
    model: group.model ?? endpoint.backend.modelName,
    authHeaders: endpoint.authHeaders,
  })
}
