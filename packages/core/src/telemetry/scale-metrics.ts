import { gatewayMetricDeclarations as declared } from './gateway-metric-declarations.js'
import type { MetricRegistry } from './metric-registry.js'

/** What scrapes shall show of one node group whose number of nodes changes. */
export interface ScaleReading {
  readonly pool: string
  readonly group: string
  readonly replicas: number
  readonly wanted: number
}

/** How many nodes groups have and shall have, as it was told last. */
export class ScaleMetrics {
  private readonly replicas
  private readonly wanted

  constructor(registry: MetricRegistry) {
    this.replicas = registry.gauge(declared.scaleReplicas)
    this.wanted = registry.gauge(declared.scaleWanted)
  }

  tell(scales: Iterable<ScaleReading>): void {
    for (const family of [this.replicas, this.wanted]) family.clear()
    for (const { pool, group, replicas, wanted } of scales) {
      this.replicas.with({ pool, group }).set(replicas)
      this.wanted.with({ pool, group }).set(wanted)
    }
  }
}
