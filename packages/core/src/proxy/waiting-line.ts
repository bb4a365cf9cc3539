import type { Clock, TimerHandle } from '../base/index.js'
import type { RoutingEvent, Strategy } from '../contracts/index.js'
import type { PoolRoute } from './proxy-context.js'

/** A request in line. */
export interface Waiter {
  /** Asks the strategy again. True: it waits no longer. */
  ask(): boolean
}

/** Other threads change what the strategy sees, and tell nobody: so often the first in line asks again by itself. */
const LOOK_EVERY_MS = 10

/**
 * Requests of one pool that the strategy wants no node for right now, first come first served: who is behind the first waits with it. Asked again whenever
 * something has changed on the pool.
 */
export class WaitingLine {
  /** Tells the strategy what becomes of its requests and, while somebody waits, the line that something has changed: news that nobody listens to cost nothing. */
  readonly observer: Pick<Strategy, 'pick'> & { observe?: (event: RoutingEvent) => void }
  private readonly waiters = new Set<Waiter>()
  private looking: TimerHandle | undefined
  private stirred = false

  constructor(
    readonly strategy: Strategy,
    private readonly clock: Clock,
    private readonly onSize: () => void,
  ) {
    this.observer = { pick: (facts, candidates, trace) => strategy.pick(facts, candidates, trace) }
    this.listen()
  }

  get size(): number {
    return this.waiters.size
  }

  join(waiter: Waiter): void {
    this.waiters.add(waiter)
    this.listen()
    this.look()
    this.onSize()
  }

  leave(waiter: Waiter): void {
    if (!this.waiters.delete(waiter)) return
    if (this.waiters.size === 0) this.looking?.cancel()
    this.listen()
    this.onSize()
  }

  /** Something has changed. Asks in a turn of its own: whoever calls is in the middle of another request. */
  stir(): void {
    if (this.waiters.size === 0 || this.stirred) return
    this.stirred = true
    queueMicrotask(() => {
      this.stirred = false
      this.ask()
    })
  }

  private listen(): void {
    if (this.waiters.size > 0 || this.strategy.observe !== undefined) this.observer.observe = (event) => this.observe(event)
    else delete this.observer.observe
  }

  private observe(event: RoutingEvent): void {
    this.strategy.observe?.(event)
    if (event.kind !== 'dispatched') this.stir()
  }

  private ask(): void {
    for (const waiter of this.waiters) {
      if (!waiter.ask()) return
      this.leave(waiter)
    }
  }

  private look(): void {
    this.looking?.cancel()
    this.looking = this.clock.after(LOOK_EVERY_MS, () => {
      this.ask()
      if (this.waiters.size > 0) this.look()
    })
  }
}

/** The lines of all pools: one for each strategy, so that a pool that a reload gave another one begins another line. */
export class WaitingLines {
  private readonly lines = new Map<Strategy, { readonly pool: string; readonly line: WaitingLine }>()

  constructor(
    private readonly clock: Clock,
    private readonly onSize: () => void = () => undefined,
  ) {}

  of({ name, strategy }: PoolRoute): WaitingLine {
    const known = this.lines.get(strategy)
    if (known !== undefined) return known.line
    const line = new WaitingLine(strategy, this.clock, this.onSize)
    this.lines.set(strategy, { pool: name, line })
    return line
  }

  /** There are other nodes now. */
  stirAll(): void {
    for (const { line } of this.lines.values()) line.stir()
  }

  /** Requests in line now, by pool; pools where none waits are left out. */
  sizes(): ReadonlyMap<string, number> {
    const sizes = new Map<string, number>()
    for (const { pool, line } of this.lines.values()) if (line.size > 0) sizes.set(pool, (sizes.get(pool) ?? 0) + line.size)
    return sizes
  }

  /** Forgets lines in which nobody waits; they begin anew when they are asked for. */
  forgetEmpty(): void {
    for (const [strategy, { line }] of this.lines) if (line.size === 0) this.lines.delete(strategy)
  }
}
