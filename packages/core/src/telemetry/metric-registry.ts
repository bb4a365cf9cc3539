import { LbError } from '../errors/index.js'
import type { MetricDeclaration } from './metric-declaration.js'
import { MetricFamily } from './metric-family.js'
import { Counter, Gauge, Histogram } from './metric-series.js'
import { renderFamily } from './prometheus-text.js'

/** All metric families of one balancer. */
export class MetricRegistry {
  private readonly renderers = new Map<string, () => string>()

  counter<Label extends string>(declaration: MetricDeclaration<Label>): MetricFamily<Label, Counter> {
    return this.add(declaration, () => new Counter())
  }

  gauge<Label extends string>(declaration: MetricDeclaration<Label>): MetricFamily<Label, Gauge> {
    return this.add(declaration, () => new Gauge())
  }

  histogram<Label extends string>(declaration: MetricDeclaration<Label>): MetricFamily<Label, Histogram> {
    return this.add(declaration, () => new Histogram(declaration.buckets ?? []))
  }

  /** Prometheus text format 0.0.4; families in order of their making. */
  render(): string {
    return [...this.renderers.values()].map((render) => render()).join('')
  }

  /** Two families of one name would make a text that no scraper accepts. */
  private add<Label extends string, Series extends Counter | Gauge | Histogram>(
    declaration: MetricDeclaration<Label>,
    createSeries: () => Series,
  ): MetricFamily<Label, Series> {
    if (this.renderers.has(declaration.name)) {
      throw new LbError(`The metric ${declaration.name} is declared twice.`, { code: 'LB_METRIC_DUPLICATE', source: 'lb' })
    }
    const family = new MetricFamily(declaration, createSeries)
    this.renderers.set(declaration.name, () => renderFamily(family))
    return family
  }
}
