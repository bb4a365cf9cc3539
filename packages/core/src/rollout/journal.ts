import { join } from 'node:path'
import { readJson, writeFileDurable } from '../state/index.js'
import type { RolloutRecord } from './rollout-record.js'
import { isOver, type RolloutStatus } from './rollout-status.js'

const MOST_KEPT = 100

interface Kept {
  /** At most one in each pool. */
  readonly running: readonly RolloutRecord[]
  /** Newest first. */
  readonly past: readonly RolloutStatus[]
}

/** What rollouts are at, and what became of the last hundred: on the disk before anything of it is done. */
export class Journal {
  private kept: Kept

  constructor(private readonly stateDir: string | undefined) {
    this.kept = this.path === undefined ? { running: [], past: [] } : keptIn(this.path)
  }

  get running(): readonly RolloutRecord[] {
    return this.kept.running
  }

  /** Newest first. */
  get past(): readonly RolloutStatus[] {
    return this.kept.past
  }

  /** Throws what the disk throws; then nothing has changed. */
  save(record: RolloutRecord): void {
    const others = this.kept.running.filter(({ pool }) => pool !== record.pool)
    this.write({ ...this.kept, running: [...others, record] })
  }

  /** It is over. Throws what the disk throws. */
  close(status: RolloutStatus): void {
    const running = this.kept.running.filter(({ id }) => id !== status.id)
    this.write({ running, past: [status, ...this.kept.past.filter(({ id }) => id !== status.id)].slice(0, MOST_KEPT) })
  }

  /** `chat-4`: the next number of a pool. */
  nextId(pool: string): string {
    const numbers = [...this.kept.running, ...this.kept.past].filter((each) => each.pool === pool).map(({ id }) => numberOf(id, pool))
    return `${pool}-${Math.max(0, ...numbers) + 1}`
  }

  private write(kept: Kept): void {
    if (this.path !== undefined) writeFileDurable(this.path, `${JSON.stringify({ v: 1, ...kept })}\n`)
    this.kept = kept
  }

  private get path(): string | undefined {
    return this.stateDir === undefined ? undefined : join(this.stateDir, 'rollouts.json')
  }
}

function numberOf(id: string, pool: string): number {
  const number = Number(id.slice(pool.length + 1))
  return Number.isSafeInteger(number) ? number : 0
}

/** A file that is torn or foreign begins anew: what runs is told by the plans, and those without a rollout are taken back. */
function keptIn(path: string): Kept {
  const found = readJson(path) as { v?: unknown; running?: unknown; past?: unknown } | undefined | null
  if (found?.v !== 1 || !Array.isArray(found.running) || !Array.isArray(found.past)) return { running: [], past: [] }
  return { running: found.running.filter(isRecord), past: found.past.filter(isStatus) }
}

function isRecord(value: unknown): value is RolloutRecord {
  const { id, pool, phase, at, ...rest } = (value ?? {}) as Partial<RolloutRecord>
  const { plan, ground, first, from, to, judged, launchHashes, failuresBefore, stages, events, readyBefore } = rest
  const parts = [plan, ground, first, from, to, judged, launchHashes, failuresBefore]
  const isWhole = parts.every((part) => typeof part === 'object' && part !== null) && [stages, events, readyBefore].every(Array.isArray)
  return isWhole && typeof at === 'number' && [id, pool, phase].every((text) => typeof text === 'string')
}

function isStatus(value: unknown): value is RolloutStatus {
  const { id, pool, phase, from, to } = (value ?? {}) as Partial<RolloutStatus>
  const isEnded = phase !== undefined && isOver({ phase })
  return (
    typeof id === 'string' && typeof pool === 'string' && isEnded && typeof from?.revision === 'string' && typeof to?.revision === 'string'
  )
}
