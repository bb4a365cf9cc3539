import { gatewayMetricDeclarations as declared } from './gateway-metric-declarations.js'
import type { MetricRegistry } from './metric-registry.js'

/** What the watchdog counted of one node since it joined. */
export interface WatchdogReading {
  readonly hung: number
  /** Requests of lb's own, by what became of them. */
  readonly canaries: Readonly<Record<string, number>>
}

/** Nodes that hung, and requests of lb's own, apart from those of clients. */
export class WatchdogMetrics {
  private readonly hung
  private readonly canaries

  constructor(registry: MetricRegistry) {
    this.hung = registry.counter(declared.nodeHung)
    this.canaries = registry.counter(declared.canaryRequests)
  }

  clear(): void {
    this.hung.clear()
    this.canaries.clear()
  }

  read(place: { readonly pool: string; readonly node: string }, { hung, canaries }: WatchdogReading): void {
    this.hung.with(place).add(hung)
    for (const [outcome, count] of Object.entries(canaries)) if (count > 0) this.canaries.with({ ...place, outcome }).add(count)
  }
}
