import type { CacheSample } from './cache-truth.js'
import type { BlockChain } from './pin.js'
import type { Gap } from './speed-book.js'

const OPENED = 1
const COMPUTED = 2
const ENDED = 3
const HELD = 4
const CLEARED = 5
const GAP = 6
const ANSWERED = 7
const FORGOTTEN = 8

const FIRST_LENGTH = 4_096

/** One life of one node. */
export interface NodeLife {
  readonly index: number
  readonly incarnation: number
}

/** Where the news of another thread goes. */
export interface NewsTaker {
  opened(lease: number, life: NodeLife, chain: BlockChain): void
  computed(lease: number): void
  ended(lease: number): void
  held(life: NodeLife, chain: BlockChain): void
  cleared(index: number): void
  forgotten(index: number): void
  gap(index: number, gap: Gap, kin: number): void
  answered(index: number, sample: CacheSample): void
}

/** What one thread has to tell the others of its requests: one row of numbers, so that it crosses between threads in one piece. */
export class BeliefNews {
  private numbers = new Float64Array(FIRST_LENGTH)
  private length = 0

  /** `onFirst` is called when there is something to tell, once until it was taken. */
  constructor(private readonly onFirst: () => void) {}

  take(): Float64Array {
    const taken = this.numbers.slice(0, this.length)
    this.length = 0
    return taken
  }

  opened(lease: number, life: NodeLife, chain: BlockChain): void {
    this.say(OPENED, lease)
    this.chain(life, chain)
  }

  computed(lease: number): void {
    this.say(COMPUTED, lease)
  }

  ended(lease: number): void {
    this.say(ENDED, lease)
  }

  held(life: NodeLife, chain: BlockChain): void {
    this.say(HELD, 0)
    this.chain(life, chain)
  }

  cleared(index: number): void {
    this.say(CLEARED, index)
  }

  forgotten(index: number): void {
    this.say(FORGOTTEN, index)
  }

  gap(index: number, { msPerToken, decoding, kvTokens }: Gap, kin: number): void {
    this.say(GAP, index)
    for (const value of [msPerToken, decoding, kvTokens, kin]) this.put(value)
  }

  answered(index: number, { believedTokens, toldTokens, verdict, heldTokens }: CacheSample): void {
    this.say(ANSWERED, index)
    for (const value of [believedTokens, toldTokens, verdict, heldTokens]) this.put(value)
  }

  private say(what: number, whose: number): void {
    if (this.length === 0) this.onFirst()
    this.put(what)
    this.put(whose)
  }

  private chain({ index, incarnation }: NodeLife, chain: BlockChain): void {
    const { prefixHashes } = chain
    this.put(index)
    this.put(incarnation)
    this.put(prefixHashes.length)
    this.room(2 * prefixHashes.length)
    this.numbers.set(prefixHashes, this.length)
    this.length += prefixHashes.length
    for (let blocks = 1; blocks <= prefixHashes.length; blocks += 1) this.put(chain.prefixTokens(blocks))
  }

  private put(value: number): void {
    this.room(1)
    this.numbers[this.length] = value
    this.length += 1
  }

  private room(count: number): void {
    if (this.length + count <= this.numbers.length) return
    const larger = new Float64Array(2 * (this.length + count))
    larger.set(this.numbers)
    this.numbers = larger
  }
}

/** A prompt as another thread told it. */
class ToldChain implements BlockChain {
  constructor(
    readonly prefixHashes: Float64Array,
    private readonly coveredTokens: Float64Array,
  ) {}

  prefixTokens(blocks: number): number {
    return this.coveredTokens[Math.min(blocks, this.coveredTokens.length) - 1] ?? 0
  }
}

/** Reads news to their end, in the order in which they were told. */
export function readNews(news: Float64Array, taker: NewsTaker): void {
  let at = 0
  const next = (): number => news[at++] ?? 0
  const prompt = (): { life: NodeLife; chain: BlockChain } => {
    const life = { index: next(), incarnation: next() }
    const count = next()
    const chain = new ToldChain(news.subarray(at, at + count), news.subarray(at + count, at + 2 * count))
    at += 2 * count
    return { life, chain }
  }
  while (at < news.length) {
    const what = next()
    const whose = next()
    if (what === OPENED || what === HELD) {
      const { life, chain } = prompt()
      if (what === OPENED) taker.opened(whose, life, chain)
      else taker.held(life, chain)
    } else if (what === COMPUTED) taker.computed(whose)
    else if (what === ENDED) taker.ended(whose)
    else if (what === CLEARED) taker.cleared(whose)
    else if (what === FORGOTTEN) taker.forgotten(whose)
    else if (what === GAP) taker.gap(whose, { msPerToken: next(), decoding: next(), kvTokens: next() }, next())
    else if (what === ANSWERED) {
      const [believedTokens, toldTokens, verdict, heldTokens] = [next(), next(), next(), next()]
      taker.answered(whose, { believedTokens, toldTokens, verdict: verdict < 0 ? -1 : verdict > 0 ? 1 : 0, heldTokens })
    } else return
  }
}
