import { readWhole, writeFileDurable } from '../../state/index.js'
import type { StoredRevision } from './stored-revision.js'

/** One pool's revisions, oldest first, and the number that the next one gets. */
export interface PoolHistory {
  readonly next: number
  readonly revisions: readonly StoredRevision[]
}

export interface ReadHistories {
  readonly pools: ReadonlyMap<string, PoolHistory>
  /** Where a file that cannot be read was put aside. */
  readonly putAside?: string
}

export function readHistories(path: string): ReadHistories {
  const { value, putAside } = readWhole(path, isFile)
  return { pools: new Map(Object.entries(value?.pools ?? {})), ...(putAside === undefined ? {} : { putAside }) }
}

/** Throws what the disk throws. */
export function writeHistories(path: string, pools: ReadonlyMap<string, PoolHistory>): void {
  writeFileDurable(path, `${JSON.stringify({ v: 1, pools: Object.fromEntries(pools) })}\n`)
}

function isFile(value: unknown): value is { readonly pools: Readonly<Record<string, PoolHistory>> } {
  const { v, pools } = recordOf(value)
  return v === 1 && typeof pools === 'object' && pools !== null && Object.values(recordOf(pools)).every(isHistory)
}

function isHistory(value: unknown): value is PoolHistory {
  const { next, revisions } = recordOf(value)
  return Number.isSafeInteger(next) && Array.isArray(revisions) && revisions.every(isStored)
}

function isStored(value: unknown): boolean {
  const { revision, pool, group, plan, hash, content, firstSeenAtMs } = recordOf(value)
  const texts = [revision, pool, group, hash].every((text) => typeof text === 'string')
  const { name, engine } = recordOf(plan)
  const known = content === null || typeof content === 'string'
  return texts && known && typeof firstSeenAtMs === 'number' && typeof name === 'string' && typeof engine === 'string'
}

/** Empty for anything that is no object. */
function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}
