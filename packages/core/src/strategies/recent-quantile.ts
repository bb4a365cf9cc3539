/** A quantile of the last so many numbers, kept in order so that reading it costs nothing. */
export class RecentQuantile {
  private readonly ring: Float64Array
  private readonly ordered: Float64Array
  private count = 0
  private next = 0

  constructor(
    private readonly quantile: number,
    size = 64,
  ) {
    this.ring = new Float64Array(size)
    this.ordered = new Float64Array(size).fill(Infinity)
  }

  add(value: number): void {
    if (this.count === this.ring.length) this.remove(this.ring[this.next] ?? 0)
    const at = this.placeOf(value)
    this.ordered.copyWithin(at + 1, at, this.count)
    this.ordered[at] = value
    this.count += 1
    this.ring[this.next] = value
    this.next = (this.next + 1) % this.ring.length
  }

  /** Infinity before the first number. */
  get value(): number {
    return this.ordered[Math.floor(this.quantile * (this.count - 1))] ?? Infinity
  }

  private remove(value: number): void {
    const at = this.placeOf(value)
    this.ordered.copyWithin(at, at + 1, this.count)
    this.count -= 1
  }

  /** Where the first number stands that is not below. */
  private placeOf(value: number): number {
    let [low, high] = [0, this.count]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.ordered[middle] ?? 0) < value) low = middle + 1
      else high = middle
    }
    return low
  }
}
