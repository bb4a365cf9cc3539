import type { Clock } from '../base/index.js'
import { bucketCount, bucketOf, valueOf } from './log-buckets.js'

/** Median and 95th percentile, in the unit of what was observed. */
export interface Quantiles {
  readonly p50: number
  readonly p95: number
}

interface Slice {
  epoch: number
  count: number
  readonly buckets: Uint32Array
}

const sliceMs = 5000
/** Two minutes are kept for the history, one is judged. */
const keptSlices = 24
const judgedSlices = 12

/** Quantiles of the last 60 s and a history of medians, from slices of 5 s with 5 % buckets. An observation costs one logarithm and one increment. */
export class WindowedQuantiles {
  private readonly slices: (Slice | undefined)[] = Array.from({ length: keptSlices }, () => undefined)

  constructor(private readonly clock: Clock) {}

  observe(value: number): void {
    const slice = this.currentSlice()
    const bucket = bucketOf(value)
    slice.buckets[bucket] = (slice.buckets[bucket] ?? 0) + 1
    slice.count++
  }

  /** Null when nothing was observed in the last 60 s. */
  quantiles(): Quantiles | null {
    const newest = this.epoch()
    const recent = this.slices.filter((slice) => slice !== undefined && slice.epoch > newest - judgedSlices) as Slice[]
    const p50 = quantile(recent, 0.5)
    const p95 = quantile(recent, 0.95)
    return p50 === null || p95 === null ? null : { p50, p95 }
  }

  /** Median of each 5 s slice of the last two minutes, oldest first; null where nothing was observed. */
  history(): (number | null)[] {
    const oldest = this.epoch() - keptSlices + 1
    return Array.from({ length: keptSlices }, (_, position) => {
      const slice = this.slices[(((oldest + position) % keptSlices) + keptSlices) % keptSlices]
      return slice?.epoch === oldest + position ? quantile([slice], 0.5) : null
    })
  }

  private epoch(): number {
    return Math.floor(this.clock.nowMs() / sliceMs)
  }

  private currentSlice(): Slice {
    const epoch = this.epoch()
    const slot = epoch % keptSlices
    const slice = (this.slices[slot] ??= { epoch, count: 0, buckets: new Uint32Array(bucketCount) })
    if (slice.epoch === epoch) return slice
    slice.epoch = epoch
    slice.count = 0
    slice.buckets.fill(0)
    return slice
  }
}

/** Nearest rank over several slices. */
function quantile(slices: readonly Slice[], share: number): number | null {
  const total = slices.reduce((sum, slice) => sum + slice.count, 0)
  if (total === 0) return null
  const rank = Math.ceil(share * total)
  let seen = 0
  for (let bucket = 0; bucket < bucketCount; bucket++) {
    for (const slice of slices) seen += slice.buckets[bucket] ?? 0
    if (seen >= rank) return valueOf(bucket)
  }
  return null
}
