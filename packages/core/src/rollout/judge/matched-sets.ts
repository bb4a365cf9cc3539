import type { JudgeSample } from './judge-sample.js'

/** A measured value, and what else it depends on. */
export interface Measure {
  readonly value: number
  /** Logarithm of what must be alike for values to be compared; 0 where nothing must. */
  readonly size: number
  /** It says nothing beside values of earlier steps. */
  readonly isEarly?: boolean
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
  /** Sets with few of the baseline get some of its earlier steps: right as long as it does now as it did then. */
  readonly withPast?: boolean
}

/** Values of the baseline from before, as they are kept over a restart; oldest first. */
export interface KeptPast {
  readonly values: readonly number[]
  /** Empty: all are 0. */
  readonly sizes: readonly number[]
}

/** Steps whose requests may still end. */
const keptSteps = 3
/** Values that wait for their like, on each side; the oldest leave. */
const kept = { canary: 500, baseline: 2_000 } as const
/** More in one set tell hardly more: with one on the other side its own chance rules. */
const mostOthers = 19
/** So many times as many of the canary in a row as there should be without one of the baseline: the old revision answers no more. */
const alone = 8
/** Of those that wait, this part is taken at once: half of them where more will come, little where none will, and hardly any where the past has to last. */
const part = { coming: 2, last: 32, spread: 256 } as const
/** So many beside it need no help of the past. */
const enoughBeside = 4
/** Of the past, over a restart. */
const keptPast = 1_000

/** What waits of one step of a rollout. */
interface Waiting {
  readonly canary: Measure[]
  readonly baseline: Measure[]
  /** Of the canary, since the last one of the baseline. */
  inARow: number
  /** Up to the last one of the baseline, with it. */
  seen: { canary: number; baseline: number }
}

/**
 * Puts each value of one side together with values of the other side, of requests that were alike and began in the same step of the rollout. Who is put
 * together with whom depends on order and size, never on the values: were both revisions the same, each value of a set would be as likely to be the canary's
 * as any other. Steps are kept apart because what ends first after shares have changed is what ends soon: short answers, and failures. What the baseline did
 * in earlier steps is kept for when the old revision answers no more.
 */
export class MatchedSets {
  private readonly steps = new Map<number, Waiting>()
  /** Of the baseline, from steps that are long over. */
  private past: Measure[] = []
  private newest = 0

  constructor(private readonly options: MatchedSetsOptions) {}

  /** `step`: in which the request began; they only grow, and what began in an old one may still end. */
  add(side: JudgeSample['side'], measure: Measure, step: number): void {
    const waiting = this.waitingAt(step)
    if (side === 'canary') this.addCanary(measure, waiting, step)
    else this.addBaseline(measure, waiting)
  }

  /** What the baseline did and nobody was compared with. */
  kept(): KeptPast {
    const steps = [...this.steps].sort(([left], [right]) => left - right)
    const past = [...this.past, ...steps.flatMap(([, { baseline }]) => baseline)].slice(-keptPast)
    const sizes = past.some(({ size }) => size !== 0) ? past.map(({ size }) => rounded(size)) : []
    return { values: past.map(({ value }) => rounded(value)), sizes }
  }

  takeUp({ values, sizes }: KeptPast): void {
    this.past = values.map((value, index) => ({ value, size: sizes[index] ?? 0 }))
  }

  private addBaseline(measure: Measure, waiting: Waiting): void {
    const { seen } = waiting
    waiting.seen = { canary: seen.canary + waiting.inARow, baseline: seen.baseline + 1 }
    waiting.inARow = 0
    const others = this.take(waiting.canary, measure, part.coming)
    if (others.length === 0) keep(waiting.baseline, measure, kept.baseline)
    else this.options.onSet({ side: 'baseline', one: measure.value, others, isPast: false })
  }

  private addCanary(measure: Measure, waiting: Waiting, step: number): void {
    waiting.inARow += 1
    const beside = this.take(waiting.baseline, measure, part.coming)
    const isHelped = this.options.withPast === true && beside.length < enoughBeside
    const others = isHelped ? [...beside, ...this.takePast(measure, step - 1, part.spread)] : beside
    if (others.length > 0) return this.options.onSet({ side: 'canary', one: measure.value, others, isPast: beside.length === 0 })
    if (!isAlone(waiting)) return keep(waiting.canary, measure, kept.canary)
    if (measure.isEarly === true) return
    const past = this.takePast(measure, this.newest, part.last)
    if (past.length > 0) this.options.onSet({ side: 'canary', one: measure.value, others: past, isPast: true })
    else if (this.options.onAlone === undefined) keep(waiting.canary, measure, kept.canary)
    else this.options.onAlone(measure.value)
  }

  private waitingAt(step: number): Waiting {
    const known = this.steps.get(step)
    if (known !== undefined) return known
    const waiting: Waiting = { canary: [], baseline: [], inARow: 0, seen: { canary: 0, baseline: 0 } }
    this.steps.set(step, waiting)
    this.newest = Math.max(this.newest, step)
    for (const [old, { baseline }] of this.steps) {
      if (old > this.newest - keptSteps) continue
      this.steps.delete(old)
      this.past = [...this.past, ...baseline].slice(-kept.baseline)
    }
    return waiting
  }

  /** Of the newest step up to this one that has any. */
  private takePast(measure: Measure, upTo: number, share: number): number[] {
    for (let step = upTo; step > this.newest - keptSteps; step -= 1) {
      const taken = this.take(this.steps.get(step)?.baseline ?? [], measure, share)
      if (taken.length > 0) return taken
    }
    return this.take(this.past, measure, share)
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

/** As many digits as say something. */
function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4
}

function isAlone({ inARow, seen }: Waiting): boolean {
  return inARow > alone * (seen.baseline === 0 ? 1 : 1 + seen.canary / seen.baseline)
}

function keep(waiting: Measure[], measure: Measure, most: number): void {
  waiting.push(measure)
  if (waiting.length > most) waiting.shift()
}
