import { gatewayMetricDeclarations as declared } from './gateway-metric-declarations.js'
import type { MetricRegistry } from './metric-registry.js'

/** What the judge of nodes says of one of them. */
export interface EjectionReading {
  /** Times that it was taken out, by reason. */
  readonly times: Readonly<Record<string, number>>
  readonly isOut: boolean
  /** Share of its usual requests that it may have, 0..1. */
  readonly admission: number
}

/** Nodes that are taken out although their probes are good, and how they come back. */
export class EjectionMetrics {
  private readonly times
  private readonly ejected
  private readonly admission

  constructor(registry: MetricRegistry) {
    this.times = registry.counter(declared.nodeEjections)
    this.ejected = registry.gauge(declared.nodeEjected)
    this.admission = registry.gauge(declared.nodeAdmission)
  }

  clear(): void {
    for (const family of [this.times, this.ejected, this.admission]) family.clear()
  }

  /** A reason that there never was has no series. */
  read(place: { readonly pool: string; readonly node: string }, { times, isOut, admission }: EjectionReading): void {
    for (const [reason, count] of Object.entries(times)) if (count > 0) this.times.with({ ...place, reason }).add(count)
    this.ejected.with(place).set(isOut ? 1 : 0)
    this.admission.with(place).set(admission)
  }
}
