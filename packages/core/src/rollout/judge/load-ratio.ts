import type { JudgeSample } from './judge-sample.js'

/** Fewer on a side tell nothing. */
const least = 10

/** How much each node of a side has to do in one step of a rollout: its requests by node. */
type Shares = Map<string, number>

/**
 * How many times as many requests a node of the new revision gets as one of the old one: in the middle of a rollout there may be two new ones for the half of
 * all requests and three old ones for the other. More requests take longer, and that is none of the revision's doing.
 */
export class LoadRatio {
  private step = 0
  private canary: Shares = new Map()
  private baseline: Shares = new Map()

  /** A request of the newest step; what began earlier says nothing of now. */
  add({ side, node }: JudgeSample, step: number): void {
    if (node === null || step < this.step) return
    if (step > this.step) {
      this.step = step
      this.canary = new Map()
      this.baseline = new Map()
    }
    const shares = this[side]
    shares.set(node, (shares.get(node) ?? 0) + 1)
  }

  /** Logarithm, less what chance may have made of it; 0 where the new ones have no more to do, or nobody knows. */
  get log(): number {
    const [canary, baseline] = [totalOf(this.canary), totalOf(this.baseline)]
    if (canary < least || baseline < least) return 0
    const ratio = (canary / this.canary.size) * (this.baseline.size / baseline)
    return Math.max(0, Math.log(ratio) - Math.sqrt(1 / canary + 1 / baseline))
  }
}

function totalOf(shares: Shares): number {
  let total = 0
  for (const count of shares.values()) total += count
  return total
}
