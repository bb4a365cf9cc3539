import type { RolloutRecord } from './rollout-record.js'
import type { RolloutWorld } from './rollout-world.js'

const KEPT_EVENTS = 200

export interface LogbookParts {
  readonly world: Pick<RolloutWorld, 'clock' | 'tell'>
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
    const { clock, tell } = this.parts.world
    const event = { atMs: clock.epochMs(), message }
    this.keep({ ...change, events: [...this.latest.events, event].slice(-KEPT_EVENTS) })
    tell(this.latest.pool, message)
  }

  keep(change: Partial<RolloutRecord>): void {
    const next = { ...this.latest, ...change }
    this.parts.save(next)
    this.latest = next
    this.parts.changed()
  }

  /** What need not survive: how far a download has come. */
  show(change: Pick<RolloutRecord, 'reason'>): void {
    this.latest = { ...this.latest, ...change }
    this.parts.changed()
  }
}
