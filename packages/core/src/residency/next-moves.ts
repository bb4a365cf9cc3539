import type { PoolView, ResidencyMoves, ResidencyQuestion, RestReason } from './pool-view.js'
import { dueMsOf, victimsFor, type Victims } from './victims.js'

/**
 * Who is put to rest and who is woken now. Pure: the same question has the same answer.
 *
 * Requests for a pool at rest wait for its turn. Turns come in the order of the first waiter; whoever is awake stays for at least its minimum residence, so that
 * requests of one model are answered together and two clients cannot make it swap more than once in that time. A pool whose turn has come is passed by nobody: what
 * would be in its way is not woken. So with k pools that share, whoever waits has its turn after at most k - 1 others, each of which has its minimum
 * residence, the time of its last running answers, and the time that waking takes.
 */
export function nextMoves({ pools, nowMs, fits }: ResidencyQuestion): ResidencyMoves {
  const moves = new Moves(nowMs)
  for (const pool of pools) if (pool.phase === 'awake' && !pool.isPinned) moves.idleOrAsked(pool)
  // Who holds memory now, those on their way out included; and who will once all that was begun is done.
  const held = new Set(pools.filter(({ phase }) => phase !== 'resting').map(({ name }) => name))
  const future = new Set(pools.filter((pool) => isUp(pool) && !moves.resting.has(pool.name)).map(({ name }) => name))
  const claimed = new Set<string>()
  const pinned = pools.filter((pool) => pool.isPinned && isUp(pool)).map(({ name }) => name)
  const blocked: string[] = []
  for (const pool of turns(pools)) {
    // Whoever could not be awake beside one that is before it comes after it.
    if (blocked.some((name) => !fits([name, pool.name]))) continue
    if (nowMs < pool.notBeforeMs) {
      moves.lookAt(pool.notBeforeMs)
      continue
    }
    const candidates = pools.filter((each) => each.phase === 'awake' && !each.isPinned && future.has(each.name) && !claimed.has(each.name))
    const without = (victims: readonly PoolView[]): string[] =>
      [...future].filter((name) => !victims.some((victim) => victim.name === name))
    const victims = victimsFor({ candidates, nowMs, suffices: (some) => fits([...without(some), pool.name]) })
    if (victims === undefined) {
      // What is in its way only now gets its own turn; but what is pinned may stay long, and nobody waits for that behind it.
      if (fits([...pinned, pool.name])) blocked.push(pool.name)
      continue
    }
    for (const { name } of victims.pools) future.delete(name)
    future.add(pool.name)
    claimed.add(pool.name)
    if (victims.dueMs > nowMs) moves.queue(pool, victims)
    else for (const victim of victims.pools) moves.putToRest(victim, { why: 'turn', of: pool.name })
    if (victims.pools.length === 0 && fits([...new Set([...held, pool.name])])) {
      moves.wake.push(pool.name)
      held.add(pool.name)
    } else if (victims.dueMs <= nowMs) moves.makingRoom.push(pool.name)
  }
  return moves.done()
}

class Moves {
  readonly wake: string[] = []
  readonly makingRoom: string[] = []
  readonly resting = new Map<string, RestReason>()
  private readonly queued = new Map<string, { readonly behind: readonly string[]; readonly dueMs: number }>()
  private lookAgainMs = Infinity

  constructor(private readonly nowMs: number) {}

  /** What leaves without anybody's wanting its place. */
  idleOrAsked(pool: PoolView): void {
    const { plan, shallRest, isGivenUp, waiting, inFlight, lastWorkMs } = pool
    if (shallRest) return this.putToRest(pool, { why: 'asked' })
    if (isGivenUp) return this.putToRest(pool, { why: 'failed' })
    if (plan.idleUnloadMs === undefined || waiting + inFlight > 0) return
    const dueMs = Math.max(lastWorkMs + plan.idleUnloadMs, dueMsOf(pool))
    if (dueMs > this.nowMs) this.lookAt(dueMs)
    else this.putToRest(pool, { why: 'idle' })
  }

  putToRest({ name }: PoolView, reason: RestReason): void {
    this.resting.set(name, reason)
  }

  queue({ name }: PoolView, { pools, dueMs }: Victims): void {
    this.queued.set(name, { behind: pools.map((victim) => victim.name), dueMs })
    this.lookAt(dueMs)
  }

  lookAt(atMs: number): void {
    this.lookAgainMs = Math.min(this.lookAgainMs, atMs)
  }

  done(): ResidencyMoves {
    const { wake, makingRoom, resting, queued, lookAgainMs } = this
    return { wake, makingRoom, queued, lookAgainMs, rest: [...resting].map(([pool, reason]) => ({ pool, reason })) }
  }
}

/** Pools that requests wait for and that are not up, first come first served. One that a person has sent to rest comes back once it is there. */
function turns(pools: readonly PoolView[]): PoolView[] {
  const waited = pools.filter(
    (pool) => pool.waiting > 0 && !isUp(pool) && !pool.isPinned && !(pool.phase === 'going-to-rest' && pool.shallRest),
  )
  return waited.toSorted((a, b) => a.firstWaiterMs - b.firstWaiterMs)
}

function isUp({ phase }: PoolView): boolean {
  return phase === 'awake' || phase === 'waking'
}
