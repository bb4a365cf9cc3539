import type { Clock, TimerHandle } from '../base/index.js'
import type { Fleet } from '../nodes/index.js'

interface Gone {
  readonly fleet: Fleet
  readonly clock: Clock
  /** What counts by node. */
  readonly books: readonly { retainNodes(ids: ReadonlySet<string>): void }[]
}

/** So soon after they went. */
const FORGET_MS = 200

/** Members come and go for months; what is counted of those that are gone goes with them. */
export function forgetGone({ fleet, clock, books }: Gone): void {
  let forgetting: TimerHandle | undefined
  const forget = (): void => {
    forgetting = undefined
    const nodes = new Set([...fleet.nodes(), ...fleet.leaving()].map((node) => node.id))
    for (const book of books) book.retainNodes(nodes)
  }
  fleet.events.on('record', () => void (forgetting ??= clock.after(FORGET_MS, forget)))
}
