import type { Gap } from '../insight/index.js'

/** Gaps before their typical one is known. */
const FIRST_GAPS = 8
/** Until so many were seen it is learned quickly. */
const QUICK_GAPS = 300
const QUICK_STEP = 0.02
/** Afterwards it moves by so much in a minute at most: a node that grows old, or is tuned, is learned anew; one that breaks is not. */
const STEP_PER_MINUTE = 0.2
/** A gap so many times the typical one is none to learn from: it may be why the node is out soon. */
const ODD = 2.5
/** In gaps. */
const ODD_MEMORY = 8

class Typical {
  msPerToken = 0
  count = 0
  decoding = 1
  kvTokens = 1
  private first: number[] = []
  private learnedMs = 0

  get isKnown(): boolean {
    return this.count >= FIRST_GAPS
  }

  /** Its median, followed by small steps. */
  learn(gap: Gap, atMs: number): void {
    const { count } = this
    this.count += 1
    this.decoding += (Math.max(1, gap.decoding) - this.decoding) / Math.min(this.count, 64)
    this.kvTokens += (Math.max(1, gap.kvTokens) - this.kvTokens) / Math.min(this.count, 64)
    if (count < FIRST_GAPS) {
      this.first.push(gap.msPerToken)
      this.msPerToken = this.first.toSorted((one, other) => one - other)[this.first.length >> 1] ?? gap.msPerToken
    } else {
      const step = count < QUICK_GAPS ? QUICK_STEP : Math.min(QUICK_STEP, (STEP_PER_MINUTE * Math.max(0, atMs - this.learnedMs)) / 60_000)
      this.msPerToken *= gap.msPerToken > this.msPerToken ? 1 + step : 1 / (1 + step)
      this.first = []
    }
    this.learnedMs = atMs
  }

  /** The longest gap that could be expected under another load, were all its requests computed one after the other. */
  atMost({ decoding, kvTokens }: Gap): number {
    return this.msPerToken * Math.max(1, decoding / this.decoding, kvTokens / this.kvTokens)
  }
}

/** How fast one node usually gives tokens, learned for each load that it had: a node that has more to do is not a slower one. */
export class OwnPace {
  private readonly loads = new Map<number, Typical>()
  /** The first gaps of all, under whatever load: a bound until one load is known. */
  private readonly first = new Typical()
  /** Of late: while most gaps are odd, the others are none to learn from either, such as those under a load that is new because the node is slow. */
  private oddShare = 0

  /** Takes in one gap; tells how many times the usual one it is, where that is known. */
  learn(gap: Gap, atMs: number): number | undefined {
    const usualMs = this.usualMs(gap)
    const ratio = usualMs === undefined ? undefined : gap.msPerToken / usualMs
    const isOdd = ratio !== undefined && ratio >= ODD
    this.oddShare += ((isOdd ? 1 : 0) - this.oddShare) / ODD_MEMORY
    if (isOdd || this.oddShare > 0.5) return ratio
    this.at(gap).learn(gap, atMs)
    if (!this.first.isKnown) this.first.learn(gap, atMs)
    return ratio
  }

  private usualMs(gap: Gap): number | undefined {
    const own = this.loads.get(bucketOf(gap))
    if (own?.isKnown === true) return own.msPerToken
    let least: number | undefined
    for (const load of this.loads.values()) if (load.isKnown) least = Math.min(least ?? Infinity, load.atMost(gap))
    return least ?? (this.first.isKnown ? this.first.atMost(gap) : undefined)
  }

  private at(gap: Gap): Typical {
    const bucket = bucketOf(gap)
    let load = this.loads.get(bucket)
    if (load === undefined) this.loads.set(bucket, (load = new Typical()))
    return load
  }
}

/** Loads within twice the requests and twice the tokens are alike. */
function bucketOf({ decoding, kvTokens }: Gap): number {
  return 64 * Math.floor(Math.log2(Math.max(1, decoding))) + Math.floor(Math.log2(Math.max(1, kvTokens)))
}
