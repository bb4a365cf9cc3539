import type { Clock } from '../base/index.js'
import type { Stage } from './stages.js'

/** For how long a stage has been watched. */
export class Hold {
  /** Monotonic. */
  private sinceMs: number | undefined

  constructor(private readonly clock: Clock) {}

  begin(): void {
    this.sinceMs = this.clock.nowMs()
  }

  clear(): void {
    this.sinceMs = undefined
  }

  get isRunning(): boolean {
    return this.sinceMs !== undefined
  }

  get tookMs(): number {
    return this.sinceMs === undefined ? 0 : this.clock.nowMs() - this.sinceMs
  }

  /** Epoch; null: nobody knows, or it lasts. */
  endsAtMs(stage: Stage | undefined): number | null {
    if (this.sinceMs === undefined || stage?.holdMs === undefined || stage.isLasting === true) return null
    return this.clock.epochMs() + Math.max(0, stage.holdMs - this.tookMs)
  }
}
