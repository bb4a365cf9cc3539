import { gatewayMetricDeclarations as declared } from './gateway-metric-declarations.js'
import type { MetricRegistry } from './metric-registry.js'

/** What a scrape asks of the source of one node group. */
export interface SourceReading {
  readonly pool: string
  readonly group: string
  readonly members: number
  /** Undefined: it never answered. */
  readonly ageMs: number | undefined
  readonly isFailing: boolean
}

/** The metrics of sources, read anew at each scrape. */
export class SourceMetrics {
  private readonly members
  private readonly age
  private readonly failing

  constructor(registry: MetricRegistry) {
    this.members = registry.gauge(declared.sourceMembers)
    this.age = registry.gauge(declared.sourceAge)
    this.failing = registry.gauge(declared.sourceFailing)
  }

  read(sources: Iterable<SourceReading>): void {
    for (const family of [this.members, this.age, this.failing]) family.clear()
    for (const { pool, group, members, ageMs, isFailing } of sources) {
      const place = { pool, group }
      this.members.with(place).set(members)
      if (ageMs !== undefined) this.age.with(place).set(ageMs / 1_000)
      this.failing.with(place).set(isFailing ? 1 : 0)
    }
  }
}
