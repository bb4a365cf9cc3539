import { join } from 'node:path'
import { readJson, writeFileDurable } from '../state/index.js'
import type { Member } from '../topology/index.js'

/** What one source last said, kept over the end of the process. */
export interface KeptTruth {
  readonly from: string
  /** Epoch. */
  readonly atMs: number
  readonly members: readonly Member[]
}

/** The last truths of a topology, in its state folder: a balancer that begins anew while a source is away still knows the servers. */
export class LastTruth {
  private readonly kept: Map<string, KeptTruth>
  private readonly path: string | undefined

  /** `stateDir` undefined: in memory only. */
  constructor(stateDir: string | undefined) {
    this.path = stateDir === undefined ? undefined : join(stateDir, 'members.json')
    this.kept = this.path === undefined ? new Map() : readKept(this.path)
  }

  /** What this source said; undefined where the group had another one then. */
  of(key: string, from: string): KeptTruth | undefined {
    const kept = this.kept.get(key)
    return kept?.from === from ? kept : undefined
  }

  /** Throws where it cannot be written. */
  keep(key: string, truth: KeptTruth): void {
    this.kept.set(key, truth)
    if (this.path !== undefined) writeFileDurable(this.path, JSON.stringify({ v: 1, sources: Object.fromEntries(this.kept) }))
  }
}

/** A file that is not as we write it counts as none. */
function readKept(path: string): Map<string, KeptTruth> {
  const { v, sources } = (readJson(path) ?? {}) as { v?: unknown; sources?: unknown }
  if (v !== 1 || typeof sources !== 'object' || sources === null) return new Map()
  return new Map(Object.entries(sources as Record<string, KeptTruth>).filter(([, kept]) => isKept(kept)))
}

function isKept({ from, atMs, members }: Partial<KeptTruth>): boolean {
  return typeof from === 'string' && typeof atMs === 'number' && Array.isArray(members) && members.every(isMember)
}

function isMember(member: unknown): boolean {
  const { name, url, weight, rank } = (member ?? {}) as Partial<Member>
  return typeof name === 'string' && typeof url === 'string' && URL.canParse(url) && typeof weight === 'number' && typeof rank === 'number'
}
