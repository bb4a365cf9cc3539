import { gatewayMetricDeclarations as declared } from './gateway-metric-declarations.js'
import type { MetricRegistry } from './metric-registry.js'

/** Prompts that one node was to compute before it took requests, since it joined. */
export interface WarmUpReading {
  readonly computed: number
  readonly failed: number
  /** There was no time for them, or the node went away. */
  readonly unfinished: number
}

/** What warms new nodes, apart from the requests of clients. */
export class WarmUpMetrics {
  private readonly prompts

  constructor(registry: MetricRegistry) {
    this.prompts = registry.counter(declared.warmUpPrompts)
  }

  clear(): void {
    this.prompts.clear()
  }

  read(place: { readonly pool: string; readonly node: string }, reading: WarmUpReading): void {
    for (const outcome of ['computed', 'failed', 'unfinished'] as const)
      if (reading[outcome] > 0) this.prompts.with({ ...place, outcome }).add(reading[outcome])
  }
}
