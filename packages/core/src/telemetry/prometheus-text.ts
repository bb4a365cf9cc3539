import type { MetricFamily } from './metric-family.js'
import { type Counter, type Gauge, Histogram } from './metric-series.js'

/** The Content-Type of the text that this file writes. */
export const prometheusContentType = 'text/plain; version=0.0.4; charset=utf-8'

/** One family in the Prometheus text format (https://prometheus.io/docs/instrumenting/exposition_formats/); empty when it has no series yet. */
export function renderFamily<Label extends string>(family: MetricFamily<Label, Counter | Gauge | Histogram>): string {
  const { name, kind, help, labels } = family.declaration
  const samples: string[] = []
  for (const { values, series } of family.entries()) {
    const pairs = labels.map((label, position) => `${label}="${escapeLabelValue(values[position] ?? '')}"`)
    if (series instanceof Histogram) samples.push(...histogramSamples(name, pairs, series))
    else samples.push(sample(name, pairs, series.value))
  }
  return samples.length === 0 ? '' : `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${kind}\n${samples.join('')}`
}

function histogramSamples(name: string, pairs: readonly string[], histogram: Histogram): string[] {
  const samples: string[] = []
  let cumulative = 0
  for (const [position, bound] of histogram.bounds.entries()) {
    cumulative += histogram.counts[position] ?? 0
    samples.push(sample(`${name}_bucket`, [...pairs, `le="${formatNumber(bound)}"`], cumulative))
  }
  samples.push(sample(`${name}_bucket`, [...pairs, 'le="+Inf"'], histogram.count))
  samples.push(sample(`${name}_sum`, pairs, histogram.sum), sample(`${name}_count`, pairs, histogram.count))
  return samples
}

function sample(name: string, pairs: readonly string[], value: number): string {
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${formatNumber(value)}\n`
}

function formatNumber(value: number): string {
  if (value === Infinity) return '+Inf'
  if (value === -Infinity) return '-Inf'
  return String(value)
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function escapeLabelValue(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"')
}
