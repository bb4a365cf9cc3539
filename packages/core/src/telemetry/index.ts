/**
 * Owns numbers about the running balancer: metric families, their Prometheus text, windows, rates. Refuses to know who looks at them; sets no timers.
 * Read first: request-stats.ts (what status shows), then gateway-metrics.ts (what /metrics shows).
 */
export { MetricRegistry } from './metric-registry.js'
export type { MetricDeclaration } from './metric-declaration.js'
export { prometheusContentType } from './prometheus-text.js'
export { GatewayMetrics, type NodeReading } from './gateway-metrics.js'
export type { EjectionReading } from './ejection-metrics.js'
export type { BeliefReading } from './belief-metrics.js'
export { gatewayMetricDeclarations } from './gateway-metric-declarations.js'
export { ResidencyMetrics } from './residency-metrics.js'
export { RolloutMetrics } from './rollout-metrics.js'
export { ScaleMetrics } from './scale-metrics.js'
export { RequestStats } from './request-stats.js'
export type { TrafficStats } from './traffic.js'
export { WindowedQuantiles, type Quantiles } from './windowed-quantiles.js'
export { RateMeter } from './rate-meter.js'
export { Ewma } from './ewma.js'
