import { createHash } from 'node:crypto'
import { essenceOf, type GroupPlan } from '../../topology/index.js'
import type { RevisionEntry } from '../rollout-desk.js'

/** One revision of a node group as it is kept: all that it takes to launch the very same again. */
export interface StoredRevision {
  /** `r2`; counted in each pool. */
  readonly revision: string
  readonly pool: string
  /** The declared group that it is a revision of. */
  readonly group: string
  /** Whole, under the name of the declared group, without slots. */
  readonly plan: GroupPlan
  /** Of what its nodes launch, with the content of the weights where it was known; 8 hexadecimal digits. Never changes. */
  readonly hash: string
  /** What the engine's `content` told of its weights; null: not yet, or it cannot. */
  readonly content: string | null
  /** Why nobody can tell its content; absent: it is told, or nobody knows why not. */
  readonly contentUnknown?: string
  /** `sha256:<hex>` over all bytes of the weights, once somebody has counted them. */
  readonly contentHash: string | null
  /** Of command, arguments and environment as they were launched; null: nothing was. */
  readonly launchHash: string | null
  /** Epoch. */
  readonly firstSeenAtMs: number
  readonly outcome: RevisionEntry['outcome']
}

/** The group as declared: without what makes it one of several in its pool, and whether it rests right now. */
export function planOf({ revision: _revision, revisionOf, rests: _rests, launch, ...group }: GroupPlan): GroupPlan {
  const { slots: _slots, ...settings } = launch ?? {}
  return { ...group, name: revisionOf ?? group.name, ...(launch === undefined ? {} : { launch: settings as typeof launch }) }
}

/** Equal where equal nodes would be launched from equal weights: engine, weights, arguments, environment, accelerators, host. */
export function essenceHash(group: GroupPlan): string {
  return digest(essenceOf(group))
}

export function revisionHash(group: GroupPlan, content: string | null): string {
  return digest([essenceOf(group), content]).slice(0, 8)
}

function digest(value: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(value)))
    .digest('hex')
}

/** The order of keys says nothing: a group that was read from a file has another one. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, part]) => part !== undefined)
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, part]) => [key, sorted(part)]))
}
