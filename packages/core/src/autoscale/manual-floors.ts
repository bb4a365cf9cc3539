import { join } from 'node:path'
import { readJson, writeFileDurable } from '../state/index.js'

/** What people asked for with `lb scale`, by pool and group; it survives the balancer. */
export class ManualFloors {
  private readonly floors: Map<string, number>

  constructor(private readonly stateDir: string | undefined) {
    this.floors = this.path === undefined ? new Map() : floorsIn(readJson(this.path))
  }

  of(pool: string, group: string): number {
    return this.floors.get(`${pool}/${group}`) ?? 0
  }

  /** Throws what the disk throws; then nothing has changed. */
  set(pool: string, group: string, replicas: number): void {
    const key = `${pool}/${group}`
    const before = this.floors.get(key)
    if (replicas === 0) this.floors.delete(key)
    else this.floors.set(key, replicas)
    try {
      if (this.path !== undefined)
        writeFileDurable(this.path, `${JSON.stringify({ v: 1, floors: Object.fromEntries(this.floors) }, null, 2)}\n`)
    } catch (error) {
      if (before === undefined) this.floors.delete(key)
      else this.floors.set(key, before)
      throw error
    }
  }

  private get path(): string | undefined {
    return this.stateDir === undefined ? undefined : join(this.stateDir, 'scale.json')
  }
}

/** A file that is torn or of another version asks for nothing. */
function floorsIn(value: unknown): Map<string, number> {
  const found = value as { v?: unknown; floors?: unknown } | null | undefined
  if (found?.v !== 1 || typeof found.floors !== 'object' || found.floors === null) return new Map()
  return new Map(Object.entries(found.floors).filter(([, floor]) => Number.isInteger(floor) && Number(floor) > 0 && Number(floor) <= 1_024))
}
