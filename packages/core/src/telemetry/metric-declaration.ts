/** One metric family as data: the registry makes it, the reference page prints it. */
export interface MetricDeclaration<Label extends string = string> {
  /** Prometheus name, unit at its end; counters end in `_total`. */
  readonly name: string
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: readonly Label[]
  /** Upper bounds, rising, without +Inf; histograms only. */
  readonly buckets?: readonly number[]
}

/** A value for each declared label. */
export type LabelValues<Label extends string> = Readonly<Record<Label, string>>
