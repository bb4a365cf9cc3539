import type { PoolView } from './pool-view.js'

export interface VictimsQuestion {
  /** May be put to rest, some of them only later. */
  readonly candidates: readonly PoolView[]
  readonly nowMs: number
  /** Whether there is room once these are at rest. */
  readonly suffices: (victims: readonly PoolView[]) => boolean
}

/** The pools that go to rest, and when the last of them may. */
export interface Victims {
  readonly pools: readonly PoolView[]
  readonly dueMs: number
}

/** As many are weighed against each other; of more, those with the highest costs stay out of it. */
const MOST_WEIGHED = 10

/**
 * The set that goes to rest: one that may go now before one that may later, an idle one before one with work, then the one with the least sum of costs, the
 * fewest, the one unused for the longest. Undefined: all of them together would not make room.
 */
export function victimsFor({ candidates, nowMs, suffices }: VictimsQuestion): Victims | undefined {
  const weighed = candidates.toSorted((a, b) => a.plan.evictCost - b.plan.evictCost).slice(0, MOST_WEIGHED)
  let best: Weighed | undefined
  for (let mask = 0; mask < 1 << weighed.length; mask += 1) {
    const pools = weighed.filter((_, index) => (mask & (1 << index)) !== 0)
    const found = weigh(pools, nowMs)
    if ((best === undefined || isBetter(found, best)) && suffices(pools)) best = found
  }
  if (best !== undefined || weighed.length === candidates.length || !suffices(candidates)) return best
  return weigh(candidates, nowMs)
}

/** When it may be put to rest for another. */
export function dueMsOf({ sinceMs, plan }: PoolView): number {
  return sinceMs + plan.minResidentMs
}

interface Weighed extends Victims {
  /** Compared from the first on; less is better. */
  readonly order: readonly number[]
}

function weigh(pools: readonly PoolView[], nowMs: number): Weighed {
  const dueMs = Math.max(nowMs, ...pools.map(dueMsOf))
  const busy = pools.filter(({ inFlight, waiting }) => inFlight + waiting > 0).length
  const cost = pools.reduce((sum, { plan }) => sum + plan.evictCost, 0)
  return { pools, dueMs, order: [dueMs, Math.min(1, busy), cost, pools.length, Math.max(0, ...pools.map(({ lastWorkMs }) => lastWorkMs))] }
}

function isBetter({ order }: Weighed, best: Weighed): boolean {
  const at = order.findIndex((value, index) => value !== best.order[index])
  return at >= 0 && (order[at] ?? 0) < (best.order[at] ?? 0)
}
