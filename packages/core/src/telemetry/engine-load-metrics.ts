import type { LoadFacts } from '../contracts/index.js'
import { gatewayMetricDeclarations as declared } from './gateway-metric-declarations.js'
import type { MetricRegistry } from './metric-registry.js'

/** Older figures are about another time: only their age is shown. */
const STALE_AFTER_MS = 60_000

/** What engines tell of their own load, as metrics: only what they told, only while it is fresh. */
export class EngineLoadMetrics {
  private readonly gauges
  private readonly counters
  private readonly age

  constructor(registry: MetricRegistry) {
    this.gauges = {
      running: registry.gauge(declared.engineRunning),
      waiting: registry.gauge(declared.engineWaiting),
      slots: registry.gauge(declared.engineSlots),
      kvUsedRatio: registry.gauge(declared.engineKvUsed),
    }
    this.counters = {
      promptTokens: registry.counter(declared.enginePromptTokens),
      cachedTokens: registry.counter(declared.engineCachedTokens),
    }
    this.age = registry.gauge(declared.engineLoadAge)
  }

  clear(): void {
    for (const family of [...Object.values(this.gauges), ...Object.values(this.counters), this.age]) family.clear()
  }

  read(place: { readonly pool: string; readonly node: string }, load: LoadFacts, ageMs: number): void {
    this.age.with(place).set(ageMs / 1000)
    if (ageMs > STALE_AFTER_MS) return
    for (const [name, family] of entriesOf(this.gauges)) {
      const value = load[name]
      if (value !== undefined) family.with(place).set(value)
    }
    for (const [name, family] of entriesOf(this.counters)) {
      const value = load[name]
      if (value !== undefined) family.with(place).add(value)
    }
  }
}

function entriesOf<Name extends string, Value>(families: Readonly<Record<Name, Value>>): [Name, Value][] {
  return Object.entries(families) as [Name, Value][]
}
