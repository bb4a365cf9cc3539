import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { readJson, readWhole, writeFileDurable } from '../state/index.js'
import type { RolloutRecord } from './rollout-record.js'
import { isOver, type RolloutStatus } from './rollout-status.js'

const MOST_KEPT = 100
/** Of one that is over. */
const MOST_EVENTS = 50

interface Kept {
  /** At most one in each pool. */
  readonly running: readonly RolloutRecord[]
  /** Newest first. */
  readonly past: readonly RolloutStatus[]
  /** By pool, the highest number that was given: also where its rollouts are long forgotten. */
  readonly numbers: Readonly<Record<string, number>>
}

const nothing: Kept = { running: [], past: [], numbers: {} }

/** What rollouts are at, and what became of the last hundred: on the disk before anything of it is done. What judges have seen lies beside it. */
export class Journal {
  private kept: Kept
  /** Where a file that could not be read was put. */
  readonly putAside: string | undefined

  constructor(private readonly stateDir: string | undefined) {
    const { value, putAside } = this.path === undefined ? { value: undefined } : readWhole(this.path, isFile)
    this.putAside = putAside
    this.kept = value === undefined ? nothing : keptOf(value)
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
    const { running, numbers } = this.kept
    const number = Math.max(numbers[record.pool] ?? 0, numberOf(record.id, record.pool))
    const others = running.filter(({ pool }) => pool !== record.pool)
    this.write({ ...this.kept, running: [...others, record], numbers: { ...numbers, [record.pool]: number } })
  }

  /** It is over. Throws what the disk throws. */
  close(status: RolloutStatus): void {
    const running = this.kept.running.filter(({ id }) => id !== status.id)
    const short = { ...status, events: status.events.slice(-MOST_EVENTS) }
    this.write({ ...this.kept, running, past: [short, ...this.kept.past.filter(({ id }) => id !== status.id)].slice(0, MOST_KEPT) })
  }

  /** What the judge of a rollout has seen. Throws what the disk throws. */
  keepEvidence({ id, pool }: Pick<RolloutRecord, 'id' | 'pool'>, judge: object): void {
    const path = this.evidencePath(pool)
    if (path !== undefined) writeFileDurable(path, `${JSON.stringify({ v: 1, id, judge })}\n`)
  }

  /** Undefined: nothing whole was kept of this rollout. */
  evidenceOf({ id, pool }: Pick<RolloutRecord, 'id' | 'pool'>): unknown {
    const path = this.evidencePath(pool)
    const found = (path === undefined ? undefined : readJson(path)) as { v?: unknown; id?: unknown; judge?: unknown } | null | undefined
    return found?.v === 1 && found.id === id ? found.judge : undefined
  }

  /** The judge begins anew, or the rollout is over. */
  forget({ pool }: Pick<RolloutRecord, 'pool'>): void {
    const path = this.evidencePath(pool)
    if (path !== undefined) rmSync(path, { force: true })
  }

  /** `chat-4`: the next number of a pool. */
  nextId(pool: string): string {
    const numbers = [...this.kept.running, ...this.kept.past].filter((each) => each.pool === pool).map(({ id }) => numberOf(id, pool))
    return `${pool}-${Math.max(this.kept.numbers[pool] ?? 0, ...numbers) + 1}`
  }

  private write(kept: Kept): void {
    if (this.path !== undefined) writeFileDurable(this.path, `${JSON.stringify({ v: 1, ...kept })}\n`)
    this.kept = kept
  }

  private evidencePath(pool: string): string | undefined {
    return this.stateDir === undefined ? undefined : join(this.stateDir, 'rollout-evidence', `${pool}.json`)
  }

  private get path(): string | undefined {
    return this.stateDir === undefined ? undefined : join(this.stateDir, 'rollouts.json')
  }
}

function numberOf(id: string, pool: string): number {
  const number = Number(id.slice(pool.length + 1))
  return Number.isSafeInteger(number) ? number : 0
}

interface JournalFile {
  readonly running: readonly unknown[]
  readonly past: readonly unknown[]
  readonly numbers?: unknown
}

/** What runs is told by the plans, and those without a rollout are taken back. */
function isFile(value: unknown): value is JournalFile {
  const { v, running, past } = (value ?? {}) as { v?: unknown; running?: unknown; past?: unknown }
  return v === 1 && Array.isArray(running) && Array.isArray(past)
}

function keptOf({ running, past, numbers }: JournalFile): Kept {
  const given = Object.entries((numbers ?? {}) as Record<string, unknown>)
  const known = given.filter((entry): entry is [string, number] => Number.isSafeInteger(entry[1]))
  return { running: running.filter(isRecord), past: past.filter(isStatus), numbers: Object.fromEntries(known) }
}

function isRecord(value: unknown): value is RolloutRecord {
  const { id, pool, phase, at, ...rest } = (value ?? {}) as Partial<RolloutRecord>
  const { plan, ground, first, from, to, judged, launchHashes, failuresBefore, stages, events, readyBefore } = rest
  const parts = [plan, ground, first, from, to, judged, launchHashes, failuresBefore]
  const isWhole = parts.every((part) => typeof part === 'object' && part !== null) && [stages, events, readyBefore].every(Array.isArray)
  return isWhole && typeof at === 'number' && [id, pool, phase].every((text) => typeof text === 'string')
}

function isStatus(value: unknown): value is RolloutStatus {
  const { id, pool, phase, from, to, events } = (value ?? {}) as Partial<RolloutStatus>
  const isEnded = phase !== undefined && isOver({ phase })
  const isNamed = [id, pool, from?.revision, to?.revision].every((text) => typeof text === 'string')
  return isNamed && isEnded && Array.isArray(events)
}
