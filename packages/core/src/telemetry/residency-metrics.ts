import { gatewayMetricDeclarations as declared } from './gateway-metric-declarations.js'
import type { MetricRegistry } from './metric-registry.js'

/** What scrapes shall show of one pool that shares accelerators. */
export interface ResidencyReading {
  readonly pool: string
  readonly state: string
  /** Requests. */
  readonly waiting: number
  /** Times that it was woken. */
  readonly wakes: number
}

/** Pools that take turns in memory: who is there is read anew at each scrape; what happens is counted when it does. */
export class ResidencyMetrics {
  private readonly state
  private readonly waiting
  private readonly wakes
  private readonly swaps
  private readonly waking
  private readonly failures

  constructor(registry: MetricRegistry) {
    this.state = registry.gauge(declared.residencyState)
    this.waiting = registry.gauge(declared.residencyWaiting)
    this.wakes = registry.counter(declared.residencyWakes)
    this.swaps = registry.counter(declared.residencySwaps)
    this.waking = registry.histogram(declared.residencyWaking)
    this.failures = registry.counter(declared.residencyFailures)
  }

  read(pools: Iterable<ResidencyReading>): void {
    for (const family of [this.state, this.waiting, this.wakes]) family.clear()
    for (const { pool, state, waiting, wakes } of pools) {
      this.state.with({ pool, state }).set(1)
      this.waiting.with({ pool }).set(waiting)
      this.wakes.with({ pool }).add(wakes)
    }
  }

  /** Empty `to`: nobody wanted its place. */
  rested(from: string, reason: string, to = ''): void {
    this.swaps.with({ from, to, reason }).add()
  }

  woke(pool: string, afterMs: number): void {
    this.waking.with({ pool }).observe(afterMs / 1_000)
  }

  wokeInVain(pool: string): void {
    this.failures.with({ pool }).add()
  }
}
