import type { MatchedSet } from './matched-sets.js'

/** Sets of which the ratio is told. */
const kept = 2_000

/** How the two sides compare in the last sets; logarithms come in, plain values go out. */
export class RecentPairs {
  private readonly differences = new Float64Array(kept)
  private readonly canaries = new Float64Array(kept)
  private count = 0
  private told: { readonly atCount: number; readonly ratio: number; readonly canary: number } | undefined

  add({ side, one, others }: MatchedSet): void {
    const other = medianOf(others)
    const at = this.count % kept
    this.differences[at] = side === 'canary' ? one - other : other - one
    this.canaries[at] = side === 'canary' ? one : other
    this.count += 1
  }

  /** Median over sets of the canary's value through the baseline's; null without one. */
  get ratio(): number | null {
    return this.read()?.ratio ?? null
  }

  /** Median of the canary's values. */
  get canary(): number | null {
    return this.read()?.canary ?? null
  }

  private read(): { readonly ratio: number; readonly canary: number } | undefined {
    if (this.count === 0) return undefined
    if (this.told?.atCount !== this.count) {
      const length = Math.min(this.count, kept)
      const ratio = Math.exp(middleOf(this.differences.slice(0, length).sort()))
      this.told = { atCount: this.count, ratio, canary: Math.exp(middleOf(this.canaries.slice(0, length).sort())) }
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
