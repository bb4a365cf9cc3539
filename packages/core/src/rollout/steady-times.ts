import type { Clock } from '../base/index.js'
import type { RequestRecord } from '../contracts/index.js'

/** A record comes about when its request has ended: one that says otherwise was dated before the clock was set, or after. */
const latestMs = 5_000

/** Wall-clock time that goes on evenly whatever becomes of the clock: what began in which step of a rollout must not depend on who sets it. */
export class SteadyTimes {
  private readonly aheadMs: number

  constructor(private readonly clock: Clock) {
    this.aheadMs = clock.epochMs() - clock.nowMs()
  }

  nowMs(): number {
    return this.aheadMs + this.clock.nowMs()
  }

  /** The record with times that fit the others. */
  dated(record: RequestRecord): RequestRecord {
    const nowMs = this.nowMs()
    const offMs = nowMs - (record.arrivedAtMs + record.totalMs)
    return Math.abs(offMs) <= latestMs ? record : { ...record, arrivedAtMs: nowMs - record.totalMs }
  }
}
