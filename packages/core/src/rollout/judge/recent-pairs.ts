import type { MatchedSet } from './matched-sets.js'

/** Sets of which the ratio is told: few enough that what becomes slower late is seen. */
const most = 256

/** As they are kept over a restart, oldest first; logarithms. */
export interface KeptPairs {
  readonly differences: readonly number[]
  readonly canaries: readonly number[]
}

interface Told {
  readonly atCount: number
  readonly ratio: number
  readonly deviation: number
  readonly canary: number
}

/** How the two sides compare in the last sets; logarithms come in, plain values go out. Sorted again once a sixty-fourth of what is kept is new. */
export class RecentPairs {
  private readonly differences = new Float64Array(most)
  private readonly canaries = new Float64Array(most)
  private count = 0
  private told: Told | undefined

  add({ side, one, others }: Omit<MatchedSet, 'isPast'>): void {
    const other = medianOf(others)
    this.put(side === 'canary' ? one - other : other - one, side === 'canary' ? one : other)
  }

  kept(): KeptPairs {
    const length = Math.min(this.count, most)
    const places = Array.from({ length }, (_, index) => (this.count - length + index) % most)
    const told = (values: Float64Array) => places.map((at) => Math.round((values[at] as number) * 1e4) / 1e4)
    return { differences: told(this.differences), canaries: told(this.canaries) }
  }

  takeUp({ differences, canaries }: KeptPairs): void {
    for (const [index, difference] of differences.slice(-most).entries()) this.put(difference, canaries.slice(-most)[index] ?? 0)
  }

  private put(difference: number, canary: number): void {
    const at = this.count % most
    this.differences[at] = difference
    this.canaries[at] = canary
    this.count += 1
  }

  /** Median over sets of the canary's value through the baseline's; null without one. */
  get ratio(): number | null {
    return this.read()?.ratio ?? null
  }

  /** What the logarithm of the ratio may be off by: the standard error of its median, as for a normal distribution. */
  get error(): number {
    const length = Math.min(this.count, most)
    return length === 0 ? Number.POSITIVE_INFINITY : (1.2533 * (this.read()?.deviation ?? 0)) / Math.sqrt(length)
  }

  /** Median of the canary's values. */
  get canary(): number | null {
    return this.read()?.canary ?? null
  }

  private read(): Told | undefined {
    if (this.count === 0) return undefined
    if (this.told === undefined || this.count - this.told.atCount > Math.min(this.told.atCount, most) / 64) {
      const length = Math.min(this.count, most)
      const differences = this.differences.slice(0, length).sort()
      // Half of all lie between the quartiles: 1.35 deviations of a normal distribution.
      const deviation = ((differences[Math.floor(length * 0.75)] as number) - (differences[Math.floor(length * 0.25)] as number)) / 1.35
      const canary = Math.exp(middleOf(this.canaries.slice(0, length).sort()))
      this.told = { atCount: this.count, ratio: Math.exp(middleOf(differences)), deviation, canary }
    }
    return this.told
  }
}

export function medianOf(values: readonly number[]): number {
  return middleOf([...values].sort((left, right) => left - right))
}

function middleOf(sorted: ArrayLike<number>): number {
  const half = sorted.length >> 1
  const upper = sorted[half] as number
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] as number) + upper) / 2
}
