import type { JudgeSample } from './judge-sample.js'

/** A measured value, and what else it depends on. */
export interface Measure {
  readonly value: number
  /** Logarithm of what must be alike for values to be compared; 0 where nothing must. */
  readonly size: number
}

/** One value of one side, and those of the other side that it is compared with; no value is in two sets. */
export interface MatchedSet {
  /** The side that `one` is of. */
  readonly side: JudgeSample['side']
  readonly one: number
  /** At least one. */
  readonly others: readonly number[]
  /** The baseline's values are from earlier, because the old revision answers no more. */
  readonly isPast: boolean
}

export interface MatchedSetsOptions {
  /** Sizes may differ by this much. */
  readonly caliper: number
  readonly onSet: (set: MatchedSet) => void
  /** A value of the canary for which no value of the baseline is left, nor will come. */
  readonly onAlone?: (value: number) => void
}

/** Values that wait for their like, on each side; the oldest leave. */
const kept = { canary: 500, baseline: 2_000 } as const
/** More in one set tell hardly more: with one on the other side its own chance rules. */
const mostOthers = 19
/** So many of the canary in a row without one of the baseline: the old revision answers no more. */
const alone = 8
/** Of those that wait, this part is taken at once: half of them where more will come, little where none will. */
const part = { coming: 2, last: 32 } as const

/**
 * Puts each value of one side together with values of the other side that came about when it did, of requests that were alike. Who is put together with whom
 * depends on order and size, never on the values: were both revisions the same, each value of a set would be as likely to be the canary's as any other.
 * What the baseline did before the canary's first value is kept for when the old revision answers no more.
 */
export class MatchedSets {
  private canary: Measure[] = []
  private baseline: Measure[] = []
  /** Of the baseline, from before the canary began. */
  private past: Measure[] = []
  private begun = false
  private inARow = 0

  constructor(private readonly options: MatchedSetsOptions) {}

  add(side: JudgeSample['side'], measure: Measure): void {
    if (side === 'canary') this.addCanary(measure)
    else this.addBaseline(measure)
  }

  private addBaseline(measure: Measure): void {
    this.inARow = 0
    const others = this.take(this.canary, measure, part.coming)
    if (others.length === 0) keep(this.baseline, measure, kept.baseline)
    else this.options.onSet({ side: 'baseline', one: measure.value, others, isPast: false })
  }

  private addCanary(measure: Measure): void {
    if (!this.begun) {
      this.begun = true
      this.past = this.baseline
      this.baseline = []
    }
    this.inARow += 1
    const isAlone = this.inARow > alone
    let others = this.take(this.baseline, measure, isAlone ? part.last : part.coming)
    if (others.length === 0 && isAlone) others = this.take(this.past, measure, part.last)
    if (others.length > 0) this.options.onSet({ side: 'canary', one: measure.value, others, isPast: isAlone })
    else if (isAlone && this.options.onAlone !== undefined) this.options.onAlone(measure.value)
    else keep(this.canary, measure, kept.canary)
  }

  /** The newest that are alike, no longer waiting. */
  private take(waiting: Measure[], { size }: Measure, share: number): number[] {
    const most = Math.min(mostOthers, Math.ceil(waiting.length / share))
    const taken: number[] = []
    for (let index = waiting.length - 1; index >= 0 && taken.length < most; index -= 1) {
      const other = waiting[index] as Measure
      if (Math.abs(other.size - size) > this.options.caliper) continue
      taken.push(other.value)
      waiting.splice(index, 1)
    }
    return taken
  }
}

function keep(waiting: Measure[], measure: Measure, most: number): void {
  waiting.push(measure)
  if (waiting.length > most) waiting.shift()
}
