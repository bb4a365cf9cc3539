import type { Clock, TimerHandle } from '../../base/index.js'

/** A data path that is so far behind is not waited for. */
const LONGEST_MS = 1_000

interface RollCall {
  readonly missing: Set<number>
  readonly over: () => void
}

interface RollCallOptions {
  readonly clock: Clock
  readonly desks: () => readonly number[]
  readonly call: (call: number) => void
}

/** Asks all data paths whether there is more to tell: a verdict on what some of them saw may be wrong. */
export class RollCalls {
  private readonly calls = new Map<number, RollCall>()
  private count = 0

  constructor(private readonly options: RollCallOptions) {}

  /** Calls back once, when all have answered or are too late. */
  begin(then: () => void): TimerHandle {
    const { clock, desks, call } = this.options
    const id = (this.count += 1)
    const late = clock.after(LONGEST_MS, () => this.end(id))
    const over = (): void => {
      late.cancel()
      then()
    }
    this.calls.set(id, { missing: new Set(desks()), over })
    call(id)
    return {
      cancel: () => {
        late.cancel()
        this.calls.delete(id)
      },
    }
  }

  heard(desk: number, id: number): void {
    const call = this.calls.get(id)
    if (call?.missing.delete(desk) === true && call.missing.size === 0) this.end(id)
  }

  deskGone(desk: number): void {
    for (const id of this.calls.keys()) this.heard(desk, id)
  }

  private end(id: number): void {
    const call = this.calls.get(id)
    this.calls.delete(id)
    call?.over()
  }
}
