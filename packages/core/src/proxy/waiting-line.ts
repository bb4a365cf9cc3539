import type { Clock, TimerHandle } from '../base/index.js'
import type { RoutingEvent, Strategy } from '../contracts/index.js'
import { Outings } from './outings.js'
import type { PoolRoute } from './proxy-context.js'

/** What came of asking for a node once more. `served`: it waits no longer. `waits`: the strategy wants none now. `lacks`: there is none that it could go to. */
export type Asked = 'served' | 'waits' | 'lacks'

/** A request in line. */
export interface Waiter {
  /** Requests of one kind lack nodes together; undefined: it has conditions of its own. */
  readonly kind: string | undefined
  ask(): Asked
}

/** Other threads change what the strategy sees, and tell nobody: so often the first in line asks again by itself. */
const LOOK_EVERY_MS = 10
/** A node that comes back gets so many of those who lacked one, and the rest a little later: what it can take is seen by then. */
const SERVED_AT_ONCE = 8

/**
 * Requests of one pool that no node takes right now, first come first served. Whom the strategy lets wait is asked again whenever something has changed on the
 * pool, and who is behind waits too; who lacks a node that it could go to is asked when nodes have changed, and lets others pass that lack none.
 */
export class WaitingLine {
  /** Tells the strategy what becomes of its requests and, while somebody waits, the line that something has changed: news that nobody listens to cost nothing. */
  readonly observer: Pick<Strategy, 'pick'> & { observe?: (event: RoutingEvent) => void }
  /** Those who may come back to it. */
  readonly outings = new Outings()
  private readonly waiters = new Set<Waiter>()
  /** Of the waiters, those that lack a node. */
  private readonly lacking = new Lacking()
  private looking: TimerHandle | undefined
  private waking: { readonly atMs: number; readonly timer: TimerHandle } | undefined
  private stirred = false
  /** There are other nodes since those who lack one were last asked. */
  private hasNewNodes = false

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

  /** Whether somebody of this kind waits who lacks a node: who comes now lacks the same. */
  lacksKind(kind: string | undefined): boolean {
    return this.lacking.hasKind(kind)
  }

  /** Somebody waits who does not lack a node: who comes now waits behind. */
  get isAsking(): boolean {
    return this.waiters.size > this.lacking.size
  }

  /** Without effect for one that stands in line already, but for what it waits for. */
  join(waiter: Waiter, asked: Exclude<Asked, 'served'>): void {
    const isNew = !this.waiters.has(waiter)
    if (asked === 'lacks') this.lacking.add(waiter)
    else this.lacking.delete(waiter)
    this.waiters.add(waiter)
    this.listen()
    this.look()
    if (isNew) this.onSize()
  }

  leave(waiter: Waiter): void {
    if (!this.waiters.delete(waiter)) return
    this.lacking.delete(waiter)
    if (this.lacking.size === 0) {
      this.hasNewNodes = false
      this.waking?.timer.cancel()
      this.waking = undefined
    }
    this.look()
    this.listen()
    this.onSize()
  }

  /** Something has changed. Asks in a turn of its own: whoever calls is in the middle of another request. */
  stir(): void {
    if (this.waiters.size === 0 || this.stirred) return
    this.stirred = true
    queueMicrotask(() => {
      this.stirred = false
      this.askAll()
    })
  }

  /** Nodes have changed: who lacked one may have one now. */
  stirAll(): void {
    this.hasNewNodes = this.lacking.size > 0
    this.stir()
  }

  /** In so many milliseconds a node may be there again. */
  wakeIn(afterMs: number): void {
    const atMs = this.clock.nowMs() + afterMs
    if (this.waking !== undefined && this.waking.atMs <= atMs) return
    this.waking?.timer.cancel()
    const timer = this.clock.after(afterMs, () => {
      this.waking = undefined
      this.stirAll()
    })
    this.waking = { atMs, timer }
  }

  /** One of them has a reason of its own to ask now. */
  askOne(waiter: Waiter): void {
    if (!this.waiters.has(waiter)) return
    const asked = waiter.ask()
    if (asked === 'served') this.leave(waiter)
    else this.join(waiter, asked)
  }

  private listen(): void {
    if (this.waiters.size > 0 || this.strategy.observe !== undefined) this.observer.observe = (event) => this.observe(event)
    else delete this.observer.observe
  }

  private observe(event: RoutingEvent): void {
    this.strategy.observe?.(event)
    if (event.kind !== 'dispatched' && this.isAsking) this.stir()
  }

  private askAll(): void {
    const withNewNodes = this.hasNewNodes
    this.hasNewNodes = false
    const lacked = new Set<string | undefined>()
    let served = 0
    let stopped = false
    for (const waiter of this.waiters) {
      const lacks = this.lacking.has(waiter)
      if (lacks && !withNewNodes) continue
      // They come in their order, once those before them are served.
      if (stopped) this.lacking.delete(waiter)
      else if (waiter.kind !== undefined && lacked.has(waiter.kind)) this.lacking.add(waiter)
      else if (lacks && served === SERVED_AT_ONCE) {
        this.hasNewNodes = true
        break
      } else {
        const asked = waiter.ask()
        stopped = asked === 'waits'
        if (asked === 'served') {
          served += 1
          this.leave(waiter)
        } else if (asked === 'lacks') {
          lacked.add(waiter.kind)
          this.lacking.add(waiter)
        } else this.lacking.delete(waiter)
      }
    }
    this.look()
  }

  private look(): void {
    if (!this.isAsking && !this.hasNewNodes) {
      this.looking?.cancel()
      this.looking = undefined
      return
    }
    this.looking ??= this.clock.after(LOOK_EVERY_MS, () => {
      this.looking = undefined
      this.askAll()
    })
  }
}

/** Those who lack a node, and how many of each kind. */
class Lacking {
  private readonly kindOf = new Map<Waiter, string | undefined>()
  private readonly kinds = new Map<string, number>()

  get size(): number {
    return this.kindOf.size
  }

  has(waiter: Waiter): boolean {
    return this.kindOf.has(waiter)
  }

  hasKind(kind: string | undefined): boolean {
    return kind !== undefined && this.kinds.has(kind)
  }

  add(waiter: Waiter): void {
    this.delete(waiter)
    const { kind } = waiter
    this.kindOf.set(waiter, kind)
    if (kind !== undefined) this.kinds.set(kind, (this.kinds.get(kind) ?? 0) + 1)
  }

  delete(waiter: Waiter): void {
    const kind = this.kindOf.get(waiter)
    if (!this.kindOf.delete(waiter) || kind === undefined) return
    const left = (this.kinds.get(kind) ?? 0) - 1
    if (left > 0) this.kinds.set(kind, left)
    else this.kinds.delete(kind)
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
    for (const { line } of this.lines.values()) line.stirAll()
  }

  /** Requests in line now, by pool; pools where none waits are left out. */
  sizes(): ReadonlyMap<string, number> {
    const sizes = new Map<string, number>()
    for (const { pool, line } of this.lines.values()) if (line.size > 0) sizes.set(pool, (sizes.get(pool) ?? 0) + line.size)
    return sizes
  }

  /** Forgets lines in which nobody waits; they begin anew when they are asked for. */
  forgetEmpty(): void {
    for (const [strategy, { line }] of this.lines) if (line.size === 0 && line.outings.kept === 0) this.lines.delete(strategy)
  }
}
