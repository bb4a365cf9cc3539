import { readWhole, writeFileDurable } from '../state/index.js'
import { isPoolChange, type PoolChange } from '../topology/index.js'

/** One pool's change as it is written down. */
export interface KeptChange {
  /** Hash of what the file says of the pool's nodes: where it is another one now, the file was edited. */
  readonly declared: string
  /** By the name of each declared group, a hash of what the file says its nodes are made of. */
  readonly made: Readonly<Record<string, string>>
  readonly change: PoolChange
  /** While its requests are parted: what the pool had come to before; absent: it ran as declared. */
  readonly settled?: PoolChange
}

export interface ReadPlans {
  /** By the pool's name. */
  readonly kept: ReadonlyMap<string, KeptChange>
  /** Where a file that cannot be read was put. */
  readonly putAside?: string
}

/** One that is torn or of another version changes nothing. */
export function readPlans(path: string): ReadPlans {
  const { value, putAside } = readWhole(path, isFile)
  return { kept: new Map(Object.entries(value?.pools ?? {})), ...(putAside === undefined ? {} : { putAside }) }
}

/** Throws what the disk throws. */
export function writePlans(path: string, kept: ReadonlyMap<string, KeptChange>): void {
  writeFileDurable(path, `${JSON.stringify({ v: 1, pools: Object.fromEntries(kept) }, null, 2)}\n`)
}

function isFile(value: unknown): value is { readonly pools: Readonly<Record<string, KeptChange>> } {
  const { v, pools } = (value ?? {}) as { readonly v?: unknown; readonly pools?: unknown }
  return v === 1 && typeof pools === 'object' && pools !== null && Object.values(pools).every(isKept)
}

function isKept(value: unknown): boolean {
  const { declared, made, change, settled } = (value ?? {}) as Partial<KeptChange>
  return (
    typeof declared === 'string' && typeof made === 'object' && isPoolChange(change) && (settled === undefined || isPoolChange(settled))
  )
}
