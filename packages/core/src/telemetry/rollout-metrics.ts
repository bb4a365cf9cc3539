import { gatewayMetricDeclarations as declared } from './gateway-metric-declarations.js'
import type { MetricRegistry } from './metric-registry.js'

/** What scrapes shall show of one rollout. */
export interface RolloutReading {
  readonly pool: string
  readonly phase: string
  readonly from: { readonly revision: string }
  readonly to: { readonly revision: string }
  /** Of the traffic, that the new revision gets. */
  readonly share: number
  readonly endedAtMs: number | null
  readonly judge: { readonly canaryRequests: number; readonly baselineRequests: number } | null
}

/** How far rollouts are, read anew at each scrape. */
export class RolloutMetrics {
  private readonly phase
  private readonly share
  private readonly judged

  constructor(registry: MetricRegistry) {
    this.phase = registry.gauge(declared.rolloutPhase)
    this.share = registry.gauge(declared.rolloutShare)
    this.judged = registry.gauge(declared.rolloutJudged)
  }

  /** Newest first; of each pool the first one counts. */
  read(rollouts: Iterable<RolloutReading>): void {
    for (const family of [this.phase, this.share, this.judged]) family.clear()
    const seen = new Set<string>()
    for (const rollout of rollouts) {
      if (seen.has(rollout.pool)) continue
      seen.add(rollout.pool)
      this.readOne(rollout)
    }
  }

  private readOne({ pool, phase, from, to, share, endedAtMs, judge }: RolloutReading): void {
    this.phase.with({ pool, phase }).set(1)
    if (endedAtMs !== null) return
    this.share.with({ pool, revision: from.revision }).set(1 - share)
    this.share.with({ pool, revision: to.revision }).set(share)
    if (judge === null) return
    this.judged.with({ pool, revision: from.revision }).set(judge.baselineRequests)
    this.judged.with({ pool, revision: to.revision }).set(judge.canaryRequests)
  }
}
