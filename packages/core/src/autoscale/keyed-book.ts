import { join } from 'node:path'
import { readJson, writeFileDurable } from '../state/index.js'

/** Something that is kept for each node group, by `pool/group`, in one file that outlives the balancer. */
export class KeyedBook<Value> {
  private readonly entries: Map<string, Value>
  private readonly path: string | undefined

  constructor(
    stateDir: string | undefined,
    file: string,
    /** What stands in the file may be anything. */
    isValue: (value: unknown) => value is Value,
  ) {
    this.path = stateDir === undefined ? undefined : join(stateDir, file)
    this.entries = this.path === undefined ? new Map() : entriesIn(readJson(this.path), isValue)
  }

  get(key: string): Value | undefined {
    return this.entries.get(key)
  }

  get keys(): readonly string[] {
    return [...this.entries.keys()]
  }

  /** In memory until `write`. */
  put(key: string, value: Value): void {
    this.entries.set(key, value)
  }

  /** Forgets groups that are none of these; in memory until `write`. */
  retain(keys: ReadonlySet<string>): void {
    for (const key of this.entries.keys()) if (!keys.has(key)) this.entries.delete(key)
  }

  /** Undefined: no entry any more. Throws what the disk throws: then nothing has changed. */
  set(key: string, value: Value | undefined): void {
    const before = this.entries.get(key)
    if (value === undefined) this.entries.delete(key)
    else this.entries.set(key, value)
    try {
      this.write()
    } catch (error) {
      if (before === undefined) this.entries.delete(key)
      else this.entries.set(key, before)
      throw error
    }
  }

  /** Throws what the disk throws. */
  write(): void {
    if (this.path !== undefined) writeFileDurable(this.path, `${JSON.stringify({ v: 1, groups: Object.fromEntries(this.entries) })}\n`)
  }
}

/** A file that is torn or of another version holds nothing. */
function entriesIn<Value>(found: unknown, isValue: (value: unknown) => value is Value): Map<string, Value> {
  const { v, groups } = (found ?? {}) as { v?: unknown; groups?: unknown }
  if (v !== 1 || typeof groups !== 'object' || groups === null) return new Map()
  return new Map(Object.entries(groups).filter((entry): entry is [string, Value] => isValue(entry[1])))
}
