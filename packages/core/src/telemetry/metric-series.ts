/** A number that only grows. */
export class Counter {
  value = 0

  /** Negative amounts are ignored: a counter that falls reads as a restart. */
  add(amount = 1): void {
    if (amount > 0) this.value += amount
  }
}

/** A number that goes up and down. */
export class Gauge {
  value = 0

  set(value: number): void {
    this.value = value
  }
}

/** Counts of observations under fixed bounds, with their sum. */
export class Histogram {
  /** One count per bound, not cumulative, and one more for what lies above the last. */
  readonly counts: number[]
  sum = 0
  count = 0

  constructor(readonly bounds: readonly number[]) {
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0)
  }

  /** NaN is ignored: one would spoil the sum for good. */
  observe(value: number): void {
    if (Number.isNaN(value)) return
    let bucket = 0
    while (bucket < this.bounds.length && value > (this.bounds[bucket] ?? Infinity)) bucket++
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1
    this.sum += value
    this.count++
  }
}
