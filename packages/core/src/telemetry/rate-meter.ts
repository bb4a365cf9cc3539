import type { Clock } from '../base/index.js'

const sliceMs = 1000
const slices = 10

/** How much happens per second, over the last ten seconds (since its making, while it is younger). */
export class RateMeter {
  private readonly amounts = new Float64Array(slices)
  private readonly epochs = new Float64Array(slices).fill(-1)
  private readonly madeAtMs: number

  constructor(private readonly clock: Clock) {
    this.madeAtMs = clock.nowMs()
  }

  add(amount = 1): void {
    const epoch = Math.floor(this.clock.nowMs() / sliceMs)
    const slot = epoch % slices
    if (this.epochs[slot] !== epoch) {
      this.epochs[slot] = epoch
      this.amounts[slot] = 0
    }
    this.amounts[slot] = (this.amounts[slot] ?? 0) + amount
  }

  perSecond(): number {
    const nowMs = this.clock.nowMs()
    const oldest = Math.floor(nowMs / sliceMs) - slices + 1
    let sum = 0
    for (let slot = 0; slot < slices; slot++) if ((this.epochs[slot] ?? -1) >= oldest) sum += this.amounts[slot] ?? 0
    const coveredMs = Math.min(nowMs - Math.max(0, oldest) * sliceMs, nowMs - this.madeAtMs)
    return (sum * 1000) / Math.max(sliceMs, coveredMs)
  }
}
