import type { Clock, TimerHandle } from '../base/index.js'
import type { Logger } from '../contracts/index.js'
import { messageOf } from '../errors/index.js'

/** A balancer that is killed forgets what was seen since. */
const everyMs = 10_000

/** Where what a judge has seen is kept. */
export interface EvidenceShelf {
  /** Undefined: nothing whole is there. */
  read(): unknown
  /** Throws what the disk throws. */
  write(kept: object): void
}

export interface MemoryOptions {
  readonly clock: Clock
  readonly log: Logger
  readonly pool: string
  readonly shelf: EvidenceShelf
  readonly kept: () => object
}

/** Keeps what a judge has seen, now and then and where something has changed. A disk that takes nothing costs the memory, not the rollout. */
export class Memory {
  private timer: TimerHandle | undefined
  private isChanged = false
  private isStopped = false

  constructor(private readonly options: MemoryOptions) {}

  /** Something was seen. Requests may still end after the last look. */
  changed(): void {
    if (this.isStopped) return
    this.isChanged = true
    this.timer ??= this.options.clock.after(everyMs, () => {
      this.timer = undefined
      this.write()
    })
  }

  write(): void {
    if (!this.isChanged) return
    this.isChanged = false
    const { shelf, kept, log, pool } = this.options
    try {
      shelf.write(kept())
    } catch (error) {
      log.warn('rollout.evidence_not_kept', { pool, error: messageOf(error) })
    }
  }

  stop(): void {
    this.isStopped = true
    this.timer?.cancel()
    this.timer = undefined
  }
}
