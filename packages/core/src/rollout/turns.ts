import type { Clock, TimerHandle } from '../base/index.js'

/** Nothing is missed for longer, also where nobody tells. */
const LOOK_EVERY_MS = 250
/** After a turn that failed. */
const AGAIN_AFTER_MS = 2_000

export interface TurnsOptions {
  readonly clock: Clock
  /** Does the one thing that is to be done next. */
  readonly step: () => Promise<void>
  /** A step has thrown. Never throws. */
  readonly failed: (error: unknown) => void
  readonly isOver: () => boolean
}

/** One thing at a time: looks whenever somebody says so, and from time to time, until it is over. */
export class Turns {
  private isBusy = false
  private isAgain = false
  private isStopped = false
  private timer: TimerHandle | undefined

  constructor(private readonly options: TurnsOptions) {}

  get isEnded(): boolean {
    return this.isStopped || this.options.isOver()
  }

  wake(): void {
    if (this.isEnded) return
    this.isAgain = true
    if (!this.isBusy) void this.turn()
  }

  stop(): void {
    this.isStopped = true
    this.timer?.cancel()
  }

  private async turn(): Promise<void> {
    this.isBusy = true
    this.timer?.cancel()
    let waitMs = LOOK_EVERY_MS
    while (this.isAgain && !this.isEnded) {
      this.isAgain = false
      try {
        await this.options.step()
      } catch (error) {
        waitMs = AGAIN_AFTER_MS
        this.isAgain = false
        this.options.failed(error)
      }
    }
    this.isBusy = false
    if (!this.isEnded) this.timer = this.options.clock.after(waitMs, () => this.wake())
  }
}
