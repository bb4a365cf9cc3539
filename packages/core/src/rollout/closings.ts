import type { TimerHandle } from '../base/index.js'
import { messageOf } from '../errors/index.js'
import type { Journal } from './journal.js'
import type { RevisionStore } from './revisions/index.js'
import { statusOf, type RolloutRecord } from './rollout-record.js'
import type { RolloutWorld } from './rollout-world.js'

const AGAIN_MS = 5_000

export interface ClosingsOptions {
  readonly world: Pick<RolloutWorld, 'clock' | 'log' | 'catchUp'>
  readonly journal: Journal
  readonly store: RevisionStore
  readonly closed: (record: RolloutRecord) => void
}

/** Writes down how rollouts ended: at once, or as soon as the disk takes it. */
export class Closings {
  /** By pool. */
  private readonly open = new Map<string, RolloutRecord>()
  private timer: TimerHandle | undefined
  private isStopped = false

  constructor(private readonly options: ClosingsOptions) {}

  /** Never throws. */
  close(record: RolloutRecord): void {
    this.open.set(record.pool, record)
    try {
      this.finish(record.pool)
    } catch (error) {
      this.options.world.log.error('rollout.not_closed', { pool: record.pool, error: messageOf(error), again: `in ${AGAIN_MS / 1000} s` })
      if (!this.isStopped) this.timer ??= this.options.world.clock.after(AGAIN_MS, () => this.again())
    }
  }

  /** Another one is to begin there. Throws what the disk throws. */
  finish(pool: string): void {
    const record = this.open.get(pool)
    if (record === undefined) return
    const { world, journal, closed } = this.options
    world.catchUp()
    journal.close(statusOf(record, { judge: null, stepEndsAtMs: null }))
    this.open.delete(pool)
    this.learn(record)
    closed(record)
  }

  stop(): void {
    this.isStopped = true
    this.timer?.cancel()
  }

  private again(): void {
    this.timer = undefined
    for (const record of this.open.values()) this.close(record)
  }

  private learn({ pool, to, phase }: RolloutRecord): void {
    try {
      this.options.store.learn(pool, to.revision, { outcome: phase as 'promoted' | 'rolled-back' | 'aborted' | 'failed' })
    } catch (error) {
      this.options.world.log.warn('rollout.outcome_not_kept', { pool, error: messageOf(error) })
    }
  }
}
