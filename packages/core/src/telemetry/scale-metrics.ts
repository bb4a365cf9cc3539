import { gatewayMetricDeclarations as declared } from './gateway-metric-declarations.js'
import type { MetricRegistry } from './metric-registry.js'

interface ScalePlace {
  readonly pool: string
  readonly group: string
}

/** What scrapes shall show of one node group whose number of nodes changes. */
export interface ScaleReading extends ScalePlace {
  readonly replicas: number
  readonly wanted: number
}

/** How many nodes groups have and shall have, as it was told last. */
export class ScaleMetrics {
  private readonly replicas
  private readonly wanted
  private readonly changes
  private readonly failures

  constructor(registry: MetricRegistry) {
    this.replicas = registry.gauge(declared.scaleReplicas)
    this.wanted = registry.gauge(declared.scaleWanted)
    this.changes = registry.counter(declared.scaleChanges)
    this.failures = registry.counter(declared.scaleFailures)
  }

  changed({ pool, group }: ScalePlace, direction: 'up' | 'down'): void {
    this.changes.with({ pool, group, direction }).add()
  }

  /** What stood in the way of a change. */
  failed({ pool, group }: ScalePlace, what: string): void {
    this.failures.with({ pool, group, what }).add()
  }

  tell(scales: Iterable<ScaleReading>): void {
    for (const family of [this.replicas, this.wanted]) family.clear()
    for (const { pool, group, replicas, wanted } of scales) {
      this.replicas.with({ pool, group }).set(replicas)
      this.wanted.with({ pool, group }).set(wanted)
    }
  }
}
