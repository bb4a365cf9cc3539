/** Longest that one step of an engine at work may reasonably take; a chunk of prefill takes seconds. */
const STANDSTILL_MS = 90_000

/**
 * Tells a hung engine: `/health` stays 200 and the gauges keep their last values, but with requests running the count of steps must grow.
 */
export class StepWatch {
  private mark: number | undefined
  private sinceMs = 0

  constructor(private readonly nowMs: () => number = () => performance.now()) {}

  see(running: number | undefined, stepMark: number | undefined): void {
    if (running !== undefined && running > 0 && stepMark !== undefined && stepMark === this.mark) return
    this.mark = stepMark
    this.sinceMs = this.nowMs()
    this.busy = running !== undefined && running > 0 && stepMark !== undefined
  }

  private busy = false

  /** How long it has stood still with work to do, in seconds; undefined while that is short enough. */
  get standstillSeconds(): number | undefined {
    const stoodMs = this.nowMs() - this.sinceMs
    return this.busy && stoodMs >= STANDSTILL_MS ? Math.round(stoodMs / 1000) : undefined
  }
}
