interface StretchOptions {
  readonly startMs: number
  /** Length of the first step. */
  readonly firstMs: number
  /** By how much each step is longer than the one before: every decode has one token more to read. */
  readonly growthMs: number
  readonly steps: number
}

/** Steps in a row that hold the same decodes and nothing else, as one. */
export class Stretch {
  readonly steps: number

  constructor(private readonly options: StretchOptions) {
    this.steps = options.steps
  }

  /** When the first so many steps are over. */
  endMs(steps: number): number {
    const { startMs, firstMs, growthMs } = this.options
    return startMs + steps * firstMs + growthMs * ((steps * (steps - 1)) / 2)
  }

  /** Steps that have begun: the last of them ends at `nowMs` or later; later, when what ends at `nowMs` is over. */
  stepsBy(nowMs: number, isOver: boolean): number {
    const { startMs, firstMs, growthMs, steps } = this.options
    const linear = firstMs - growthMs / 2
    const elapsedMs = Math.max(0, nowMs - startMs)
    const root = (2 * elapsedMs) / (linear + Math.sqrt(linear * linear + 2 * growthMs * elapsedMs))
    let count = Math.min(Math.max(Math.ceil(root), 1), steps)
    // The root is right but for its rounding.
    while (count > 1 && this.isBegun(count - 1, { nowMs, isOver })) count--
    while (count < steps && !this.isBegun(count, { nowMs, isOver })) count++
    return count
  }

  private isBegun(steps: number, { nowMs, isOver }: { readonly nowMs: number; readonly isOver: boolean }): boolean {
    const endMs = this.endMs(steps)
    return isOver ? endMs > nowMs : endMs >= nowMs
  }
}
