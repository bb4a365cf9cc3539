import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { deepFreeze } from './deep-freeze.js'
import type { GroupPlan, PoolPlan, Topology } from './topology.js'

/** One server that a source names. */
export interface Member {
  /** Of letters, digits and hyphens; unique in its group, and the same for the same server at all times. */
  readonly name: string
  /** Base URL without a trailing slash. */
  readonly url: string
  /** Share of the work among the members of its group; times the group's own weight. */
  readonly weight: number
  /** The model's name there; absent: as the group says. */
  readonly model?: string
  readonly labels?: Readonly<Record<string, string>>
  /** Members of a higher rank get requests only while the pool has no ready node of a lower one; 0 is the lowest. */
  readonly rank: number
}

/** By `pool/group`. */
export type MembersOf = ReadonlyMap<string, readonly Member[]>

/** The topology with the members of each source in its place, as attached groups of one node each. */
export function withMembers(topology: Topology, members: MembersOf): Topology {
  const pools = topology.pools.map((pool) => (pool.groups.some((group) => group.source !== undefined) ? expanded(pool, members) : pool))
  return deepFreeze({ ...topology, pools })
}

function expanded(pool: PoolPlan, members: MembersOf): PoolPlan {
  return { ...pool, groups: pool.groups.flatMap((group) => groupsOf(group, members.get(`${pool.name}/${group.name}`) ?? [])) }
}

function groupsOf(group: GroupPlan, members: readonly Member[]): readonly GroupPlan[] {
  const { source, ...rest } = group
  return source === undefined ? [group] : members.map((member) => memberGroup(rest, member))
}

/** The group of one node that a member becomes. */
export function memberGroup(group: GroupPlan, { name, url, weight, model, labels, rank }: Member): GroupPlan {
  return {
    ...group,
    name: `${group.name}-${name}`,
    weight: group.weight * weight,
    ...(model === undefined ? {} : { model }),
    attach: { url },
    ...(labels === undefined ? {} : { labels: { ...group.labels, ...labels } }),
    ...(group.zone !== undefined || labels?.['zone'] === undefined ? {} : { zone: labels['zone'] }),
    ...(rank === 0 ? {} : { rank }),
  }
}

const MAX_NAME = 63

/** What a server is called where nobody named it: its host and port. The same URL has the same name in every answer. */
export function memberName(url: string): string {
  const { protocol, hostname, port, pathname } = new URL(url)
  const isUnix = protocol === 'http+unix:'
  const where = isUnix
    ? basename(decodeURIComponent(hostname))
    : `${hostname}-${port === '' ? (protocol === 'https:' ? '443' : '80') : port}`
  const plain = slugged(`${where}${pathname}`)
  return plain !== '' && plain.length <= MAX_NAME ? plain : `${plain.slice(0, MAX_NAME - 9)}-${hashOf(url)}`.replace(/^-/, '')
}

/** The members with names; two that would have one name are told apart by a hash of their URL. */
export function named<Entry extends { readonly url: string; readonly name?: string }>(
  entries: readonly Entry[],
): (Entry & { readonly name: string })[] {
  const taken = new Set<string>()
  const inOrder = entries.toSorted((a, b) => (a.url < b.url ? -1 : a.url > b.url ? 1 : 0))
  return inOrder.map((entry) => {
    const wanted = entry.name ?? memberName(entry.url)
    const name = taken.has(wanted) ? `${wanted.slice(0, MAX_NAME - 9)}-${hashOf(entry.url)}` : wanted
    taken.add(name)
    return { ...entry, name }
  })
}

function slugged(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
}

function hashOf(url: string): string {
  return createHash('sha256').update(url).digest('hex').slice(0, 8)
}
