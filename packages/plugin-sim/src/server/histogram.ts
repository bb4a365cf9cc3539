/** A Prometheus histogram over fixed bounds. */
export class Histogram {
  private readonly counts: Float64Array
  private sum = 0
  private total = 0

  constructor(private readonly bounds: readonly number[]) {
    this.counts = new Float64Array(bounds.length)
  }

  observe(value: number, times = 1): void {
    const bucket = this.bounds.findIndex((bound) => value <= bound)
    if (bucket >= 0) this.counts[bucket] = (this.counts[bucket] ?? 0) + times
    this.sum += value * times
    this.total += times
  }

  /** Sample lines; `labels` without braces. */
  render(name: string, labels: string): string {
    let below = 0
    const buckets = this.bounds.map((bound, index) => {
      below += this.counts[index] ?? 0
      return `${name}_bucket{${labels},le="${bound}"} ${below}\n`
    })
    return `${buckets.join('')}${name}_bucket{${labels},le="+Inf"} ${this.total}\n${name}_sum{${labels}} ${this.sum}\n${name}_count{${labels}} ${this.total}\n`
  }
}
