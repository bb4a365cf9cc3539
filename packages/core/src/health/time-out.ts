import type { EjectSettings, EjectionKind } from './judge-settings.js'

/** After so long without an ejection the next one is a step shorter. */
const CLEAN_MS = 60_000
/** Slowness is seldom over in a second, and telling it apart costs a slow request: its first time out is this many steps longer. */
const SLOW_STEPS = 3
const MOST_STEPS = 20

/** How long one node is out: twice as long each time, shorter again after a clean while. */
export class TimeOut {
  private steps = 0
  private endedMs = 0

  next(kind: EjectionKind, nowMs: number, { firstMs, longestMs }: Pick<EjectSettings, 'firstMs' | 'longestMs'>): number {
    const forgiven = Math.max(0, Math.floor((nowMs - this.endedMs) / CLEAN_MS))
    this.steps = Math.max(0, this.steps - forgiven)
    const steps = Math.max(this.steps, kind === 'slow' ? SLOW_STEPS : 0)
    const forMs = Math.min(Math.max(firstMs, longestMs), firstMs * 2 ** steps)
    this.steps = Math.min(MOST_STEPS, steps + 1)
    this.endedMs = nowMs + forMs
    return forMs
  }
}
