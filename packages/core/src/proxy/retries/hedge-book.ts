import type { RequestFacts } from '../../contracts/index.js'
import { RecentQuantile } from '../../strategies/index.js'
import type { HedgePlan } from '../../topology/index.js'
import type { PoolRoute } from '../proxy-context.js'

/** First tokens of one kind that must have been seen. */
const ENOUGH = 20
const REMEMBERED = 256
/** Hedges that a quiet time may save up. */
const MOST_SAVED = 10
/** Ten tenths make one, but for what floating point leaves out. */
const ALMOST_ONE = 1 - 1e-9

interface PoolBook {
  /** Times to the first content, by kind of request. */
  readonly times: Map<string, { count: number; readonly recent: RecentQuantile }>
  saved: number
  quantile: number
}

/** How long first tokens take in each pool, and how many second tries it may still start. */
export class HedgeBook {
  private readonly pools = new Map<string, PoolBook>()

  /** A request came. */
  arrived({ name, retries: { hedge } }: PoolRoute): void {
    if (hedge === undefined) return
    const book = this.bookOf(name, hedge)
    book.saved = Math.min(MOST_SAVED, book.saved + hedge.most)
  }

  /** Its first content took so long. */
  learn({ name, retries: { hedge } }: PoolRoute, facts: RequestFacts, ttftMs: number): void {
    if (hedge === undefined || 'ms' in hedge.after) return
    const { times, quantile } = this.bookOf(name, hedge)
    const kind = kindOf(facts)
    let time = times.get(kind)
    if (time === undefined) times.set(kind, (time = { count: 0, recent: new RecentQuantile(quantile, REMEMBERED) }))
    time.count += 1
    time.recent.add(ttftMs)
  }

  /** When a second try is worth it; undefined: not known. */
  afterMs({ name, retries: { hedge } }: PoolRoute, facts: RequestFacts): number | undefined {
    if (hedge === undefined) return undefined
    if ('ms' in hedge.after) return hedge.after.ms
    const time = this.bookOf(name, hedge).times.get(kindOf(facts))
    return time === undefined || time.count < ENOUGH ? undefined : time.recent.value
  }

  /** Whether one more may start. */
  has({ name, retries: { hedge } }: PoolRoute): boolean {
    return hedge !== undefined && this.bookOf(name, hedge).saved >= ALMOST_ONE
  }

  /** One more starts. */
  take({ name, retries: { hedge } }: PoolRoute): void {
    if (hedge !== undefined) this.bookOf(name, hedge).saved -= 1
  }

  retain(pools: ReadonlySet<string>): void {
    for (const name of this.pools.keys()) if (!pools.has(name)) this.pools.delete(name)
  }

  /** Another quantile is another book. */
  private bookOf(name: string, { after }: HedgePlan): PoolBook {
    const quantile = 'ms' in after ? 0 : after.quantile
    let book = this.pools.get(name)
    if (book?.quantile !== quantile) this.pools.set(name, (book = { times: new Map(), saved: book?.saved ?? 0, quantile }))
    return book
  }
}

/** Requests whose first content takes about as long: a stream waits for its prompt, a plain answer for its last token too. */
function kindOf({ stream, promptTokens, outputTokens }: RequestFacts): string {
  const size = Math.round(Math.log2(Math.max(1, promptTokens)))
  return stream ? `s${size}` : `p${size}-${Math.round(Math.log2(Math.max(1, outputTokens)))}`
}
