import type { LabelValues, MetricDeclaration } from './metric-declaration.js'

/** More label sets than this fold into one whose values are all `other`: a scrape must not grow with what clients send. */
export const maxSeriesPerFamily = 2000

const separator = '\u0000'

/** The series of one family: one value object for each label set in use. */
export class MetricFamily<Label extends string, Series> {
  private readonly series = new Map<string, { readonly values: readonly string[]; readonly series: Series }>()

  constructor(
    readonly declaration: MetricDeclaration<Label>,
    private readonly createSeries: () => Series,
    private readonly maxSeries = maxSeriesPerFamily,
  ) {}

  /** The series of these labels, made at first use. Keep it where the same labels are used often. */
  with(labels: LabelValues<Label>): Series {
    const values = this.declaration.labels.map((label) => labels[label])
    const key = values.join(separator)
    const known = this.series.get(key)
    if (known !== undefined) return known.series
    return this.series.size < this.maxSeries ? this.add(key, values) : this.other(values.length)
  }

  /** Forgets all series, for families that are filled anew at each scrape. */
  clear(): void {
    this.series.clear()
  }

  /** Forgets series of which this label has a value that is none of these; the folded ones stay. */
  retain(label: Label, values: ReadonlySet<string>): void {
    const at = this.declaration.labels.indexOf(label)
    for (const [key, { values: own }] of this.series) {
      const value = own[at] ?? ''
      if (value !== 'other' && value !== 'none' && !values.has(value)) this.series.delete(key)
    }
  }

  /** Each label set in use, in order of first use. */
  entries(): IterableIterator<{ readonly values: readonly string[]; readonly series: Series }> {
    return this.series.values()
  }

  private add(key: string, values: readonly string[]): Series {
    const series = this.createSeries()
    this.series.set(key, { values, series })
    return series
  }

  private other(labelCount: number): Series {
    const values = Array.from({ length: labelCount }, () => 'other')
    const key = values.join(separator)
    return this.series.get(key)?.series ?? this.add(key, values)
  }
}
