import type { Clock } from '../base/index.js'

/** News of the belief is at most 5 ms old when another thread takes it up; the rest is for the way. */
const GATHER_MS = 3

/** Sends what one thread has to tell of its requests: gathered for a moment, so that a busy thread sends one message and not a hundred. */
export class BeliefPost {
  private isArmed = false

  constructor(
    private readonly clock: Clock,
    private readonly send: () => void,
  ) {}

  /** There is something to send. */
  readonly gather = (): void => {
    if (this.isArmed) return
    this.isArmed = true
    this.clock.after(GATHER_MS, () => {
      this.isArmed = false
      this.send()
    })
  }
}
