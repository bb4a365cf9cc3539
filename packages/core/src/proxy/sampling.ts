import type { RandomSource } from '../base/index.js'

/** Takes a share of what passes, at random, and costs those that it does not take one subtraction: how many to let pass is drawn ahead. */
export class Sampling {
  private share = 0
  private left = Number.POSITIVE_INFINITY

  constructor(private readonly random: RandomSource) {}

  takes(share: number): boolean {
    if (share !== this.share) {
      this.share = share
      this.left = this.gap()
    }
    this.left -= 1
    if (this.left > 0) return false
    this.left = this.gap()
    return true
  }

  /** Until the next one, with it: geometric. */
  private gap(): number {
    if (this.share <= 0) return Number.POSITIVE_INFINITY
    if (this.share >= 1) return 1
    return 1 + Math.floor(Math.log(1 - this.random.next()) / Math.log(1 - this.share))
  }
}
