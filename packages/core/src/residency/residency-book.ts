import type { PoolReading } from './pool-reading.js'
import type { Phase, PoolView } from './pool-view.js'

/** Pauses after a pool that was woken in vain: they double up to the longest. */
const FIRST_PAUSE_MS = 10_000
const LONGEST_PAUSE_MS = 300_000

/** What is remembered of one pool between two looks. Times are monotonic. */
export class ResidencyEntry {
  phase: Phase
  sinceMs: number
  wakes = 0
  reason: string | null = null
  /** It was asked to rest by a person. */
  shallRest = false
  private firstWaiterMs = Infinity
  private lastWorkMs: number
  private notBeforeMs = -Infinity
  private failures = 0
  /** What was the matter last; for people. */
  failure: string | undefined

  constructor(reading: PoolReading, nowMs: number) {
    this.phase = reading.rests ? 'resting' : 'waking'
    this.sinceMs = nowMs
    this.lastWorkMs = nowMs
  }

  /** Its nodes and its line as they are now; tells the phase that it has come into, where that is another one. */
  see(reading: PoolReading, nowMs: number): Phase | undefined {
    if (reading.waiting === 0) this.firstWaiterMs = Infinity
    else if (this.firstWaiterMs === Infinity) this.firstWaiterMs = nowMs
    if (reading.inFlight + reading.waiting > 0) this.lastWorkMs = nowMs
    if (reading.isReady) this.failures = 0
    const phase = this.phaseOf(reading)
    if (phase === this.phase) return undefined
    if (phase === 'going-to-rest' && reading.waiting > 0) this.firstWaiterMs = nowMs
    // It was asked for, and it is done.
    if (phase === 'resting') this.shallRest = false
    this.phase = phase
    this.sinceMs = nowMs
    return phase
  }

  /** A request of it has ended. */
  worked(nowMs: number): void {
    this.lastWorkMs = nowMs
  }

  /** It could not be woken, and is not tried again before this. */
  get pausedUntilMs(): number {
    return this.notBeforeMs
  }

  /** It could not be woken: not again before a while. */
  failed(nowMs: number, why: string | undefined): void {
    this.failure = why ?? this.failure
    this.notBeforeMs = nowMs + Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.failures)
    this.failures += 1
  }

  view({ name, plan, inFlight, waiting, pinnedBecause, isGivenUp }: PoolReading): PoolView {
    const { phase, sinceMs, firstWaiterMs, lastWorkMs, shallRest, notBeforeMs } = this
    const isPinned = pinnedBecause !== undefined
    return { name, plan, phase, sinceMs, waiting, firstWaiterMs, inFlight, lastWorkMs, isPinned, shallRest, isGivenUp, notBeforeMs }
  }

  /** Who could not start counts as awake, so that others may have its place once its time is over. */
  private phaseOf({ rests, isAtRest, isReady, failure }: PoolReading): Phase {
    if (rests) return isAtRest ? 'resting' : 'going-to-rest'
    if (this.phase === 'awake') return 'awake'
    return isReady || failure !== undefined ? 'awake' : 'waking'
  }
}
