import type { RequestRecord } from '../contracts/index.js'
import { gatewayMetricDeclarations as declared } from './gateway-metric-declarations.js'
import type { MetricRegistry } from './metric-registry.js'
import type { Histogram } from './metric-series.js'

/** What is believed of one node at the moment of a scrape. */
export interface BeliefReading {
  readonly prefillTokens: number
  readonly decodeTokens: number
  readonly slowness: number
  readonly mirrorBlocks: number
  readonly mirrorTokens: number
  readonly mirrorCapacityTokens: number
  readonly mirrorTrust: number
}

interface Place {
  readonly pool: string
  readonly node: string
}

/** What the balancer believes, and how far engines agree. */
export class BeliefMetrics {
  private readonly gauges
  private readonly bytes
  private readonly believedCached
  private readonly cacheError
  private readonly promptError
  /** By pool; looked up once, for labels cost more than counting. */
  private readonly cacheErrors = new Map<string, Histogram>()
  private readonly promptErrors = new Map<string, Histogram>()

  constructor(registry: MetricRegistry) {
    this.gauges = {
      prefillTokens: registry.gauge(declared.nodePrefillTokens),
      decodeTokens: registry.gauge(declared.nodeDecodeTokens),
      slowness: registry.gauge(declared.nodeSlowness),
      mirrorBlocks: registry.gauge(declared.mirrorBlocks),
      mirrorTokens: registry.gauge(declared.mirrorTokens),
      mirrorCapacityTokens: registry.gauge(declared.mirrorCapacity),
      mirrorTrust: registry.gauge(declared.mirrorTrust),
    }
    this.bytes = registry.gauge(declared.mirrorBytes)
    this.believedCached = registry.counter(declared.believedCachedTokens)
    this.cacheError = registry.histogram(declared.cacheBeliefError)
    this.promptError = registry.histogram(declared.promptEstimateError)
  }

  /** Takes in one settled request of which the engine has told. */
  settle({ pool, node, promptTokens, cachedTokens }: RequestRecord, believed: NonNullable<RequestRecord['believed']>): void {
    if (pool === null || node === null || promptTokens <= 0) return
    seriesOf(this.promptErrors, this.promptError, pool).observe(Math.abs(believed.promptTokens - promptTokens) / promptTokens)
    if (cachedTokens === null) return
    this.believedCached.with({ pool, node }).add(believed.cachedTokens)
    seriesOf(this.cacheErrors, this.cacheError, pool).observe(Math.abs(believed.cachedTokens - cachedTokens) / promptTokens)
  }

  clear(): void {
    for (const family of Object.values(this.gauges)) family.clear()
  }

  read(place: Place, reading: BeliefReading): void {
    for (const [name, family] of Object.entries(this.gauges)) family.with(place).set(reading[name as keyof BeliefReading])
  }

  readBytes(bytes: number): void {
    this.bytes.with({}).set(bytes)
  }

  retainNodes(ids: ReadonlySet<string>): void {
    this.believedCached.retain('node', ids)
  }
}

function seriesOf(known: Map<string, Histogram>, family: { with(labels: { readonly pool: string }): Histogram }, pool: string): Histogram {
  let series = known.get(pool)
  if (series === undefined) known.set(pool, (series = family.with({ pool })))
  return series
}
