import type { Clock } from '../../base/index.js'

/** A data path that is so far behind is not waited for. */
const LONGEST_MS = 1_000
/** So often it is looked whether a node that went away still has requests, because a data path has not noticed. */
const LOOK_MS = 2

interface Wanted {
  readonly node: string
  readonly life: string
  /** It is waited so long for the last request there to be counted out. */
  readonly drainedMs: number
  readonly onHeard: () => void
}

interface RollCall {
  readonly missing: Set<number>
  readonly over: () => void
}

interface RollCallOptions {
  readonly clock: Clock
  readonly desks: () => readonly number[]
  readonly call: (call: number) => void
  /** Requests that are at the node, as far as the data paths have noticed. */
  readonly inFlightAt: (node: string, life: string) => number
}

/**
 * Finds out whether all data paths have told who was at a node that went away: a verdict on what some of them saw may be wrong. A path counts a request out
 * of the node in the same turn in which it tells of it; when nobody has one there any more, all that is left to wait for are words on their way.
 */
export class RollCalls {
  private readonly calls = new Map<number, RollCall>()
  private count = 0

  constructor(private readonly options: RollCallOptions) {}

  /** Calls back once, when all have answered or are too late. */
  begin(wanted: Wanted): void {
    const { drainedMs, onHeard } = wanted
    const { clock, desks } = this.options
    const id = (this.count += 1)
    const late = clock.after(LONGEST_MS, () => this.end(id))
    const over = (): void => {
      late.cancel()
      onHeard()
    }
    this.calls.set(id, { missing: new Set(desks()), over })
    this.callWhenDrained(id, wanted, clock.nowMs() + drainedMs)
  }

  heard(desk: number, id: number): void {
    const call = this.calls.get(id)
    if (call?.missing.delete(desk) === true && call.missing.size === 0) this.end(id)
  }

  deskGone(desk: number): void {
    for (const id of this.calls.keys()) this.heard(desk, id)
  }

  private callWhenDrained(id: number, wanted: Wanted, latestMs: number): void {
    const { clock, inFlightAt, call } = this.options
    if (!this.calls.has(id)) return
    if (inFlightAt(wanted.node, wanted.life) === 0 || clock.nowMs() >= latestMs) call(id)
    else clock.after(LOOK_MS, () => this.callWhenDrained(id, wanted, latestMs))
  }

  private end(id: number): void {
    const call = this.calls.get(id)
    this.calls.delete(id)
    call?.over()
  }
}
