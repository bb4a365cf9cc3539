import { existsSync, renameSync } from 'node:fs'
import { readJson, writeFileDurable } from '../../state/index.js'
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

/** A file that is torn or foreign is put aside, never written over: somebody may still want it. */
export function readHistories(path: string): ReadHistories {
  if (!existsSync(path)) return { pools: new Map() }
  const { v, pools } = recordOf(readJson(path))
  const entries = v === 1 && typeof pools === 'object' && pools !== null ? Object.entries(recordOf(pools)) : undefined
  if (entries?.every((entry): entry is [string, PoolHistory] => isHistory(entry[1])) === true) return { pools: new Map(entries) }
  const putAside = `${path}.unreadable`
  try {
    renameSync(path, putAside)
  } catch {
    // It will be written over: there is nothing else to do with it.
  }
  return { pools: new Map(), putAside }
}

/** Throws what the disk throws. */
export function writeHistories(path: string, pools: ReadonlyMap<string, PoolHistory>): void {
  writeFileDurable(path, `${JSON.stringify({ v: 1, pools: Object.fromEntries(pools) })}\n`)
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
