import type { Lookout } from './lookout.js'
import type { RolloutRecord } from './rollout-record.js'
import type { RunningJudge } from './running-judge.js'

/** How a rollout is watched: by its judge, once there is one, and before that by the judges of earlier balancers. */
export class Watch {
  private running: RunningJudge | undefined

  constructor(
    /** Requests that an earlier balancer has judged. */
    private readonly earlier: RolloutRecord['judged'],
    private readonly makeJudge: () => RunningJudge,
  ) {}

  get judge(): RunningJudge | undefined {
    return this.running
  }

  begin(): void {
    this.running ??= this.makeJudge()
  }

  /** Over all balancers. */
  get judged(): RolloutRecord['judged'] {
    const { canaryRequests: canary = 0, baselineRequests: baseline = 0 } = this.running?.report() ?? {}
    return { canary: this.forgotten.canary + canary, baseline: this.forgotten.baseline + baseline }
  }

  /** Enough was seen, if by a balancer before this one, and nothing of it was bad. */
  hasSeenEnough(record: RolloutRecord, lookout: Lookout): boolean {
    // Nothing of the old revision served, nor does it now: there is nothing to compare with, and nothing to go back to.
    if (record.readyBefore.length === 0 && !lookout.hasOld(record)) return true
    const { minSamples } = record.plan.judge
    const { canary, baseline } = this.judged
    return this.forgotten.canary + this.forgotten.baseline > 0 && Math.min(canary, baseline) >= minSamples
  }

  /** The next judge begins anew. */
  forget(): void {
    this.running?.stop()
    this.running = undefined
  }

  /** What was seen is kept for the next balancer. */
  leave(): void {
    this.running?.leave()
  }

  /** Requests that an earlier balancer has judged and that this judge knows nothing of. */
  private get forgotten(): RolloutRecord['judged'] {
    return this.running?.isTakenUp === true ? { canary: 0, baseline: 0 } : this.earlier
  }
}
