import { messageOf } from '../errors/index.js'
import type { RolloutRecord } from './rollout-record.js'
import type { RolloutWorld } from './rollout-world.js'

const KEPT_EVENTS = 200

export interface LogbookParts {
  readonly world: Pick<RolloutWorld, 'clock' | 'log' | 'tell'>
  /** Writes the record down. Throws what the disk throws. */
  readonly save: (record: RolloutRecord) => void
  /** It is another one now. */
  readonly changed: () => void
}

/** The record of one rollout: what stands in it is on the disk. */
export class Logbook {
  constructor(
    private latest: RolloutRecord,
    private readonly parts: LogbookParts,
  ) {}

  get record(): RolloutRecord {
    return this.latest
  }

  /** A change that people are told of. Throws what the disk throws; then nothing has changed. */
  note(message: string, change: Partial<RolloutRecord>): void {
    this.keep({ ...change, events: this.eventsWith(message) })
    this.parts.world.tell(this.latest.pool, message)
  }

  /** The same where clients must not wait for the disk: what cannot be written down counts all the same, until the balancer ends. */
  insist(message: string, change: Partial<RolloutRecord>): void {
    try {
      this.note(message, change)
    } catch (error) {
      const { log, tell } = this.parts.world
      log.error('rollout.not_written', { pool: this.latest.pool, error: messageOf(error) })
      this.latest = { ...this.latest, ...change, events: this.eventsWith(message) }
      tell(this.latest.pool, message)
      this.parts.changed()
    }
  }

  keep(change: Partial<RolloutRecord>): void {
    const next = { ...this.latest, ...change }
    this.parts.save(next)
    this.latest = next
    this.parts.changed()
  }

  /** What need not survive: how far a download has come, what the disk says. */
  show(change: Pick<RolloutRecord, 'reason'>): void {
    this.latest = { ...this.latest, ...change }
    this.parts.changed()
  }

  private eventsWith(message: string): RolloutRecord['events'] {
    return [...this.latest.events, { atMs: this.parts.world.clock.epochMs(), message }].slice(-KEPT_EVENTS)
  }
}
