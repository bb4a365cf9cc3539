import type { CacheEvent } from '@plimsoll/core/plugin'

/** As many as the publisher itself would hold for a slow subscriber. */
const MOST_EVENTS = 100_000

/** Events that wait for their reader. One who is too slow loses them all and is told so: half a truth about a cache is worse than none. */
export class EventQueue {
  private events: CacheEvent[] = []
  private told = 0
  private wake: () => void = () => undefined

  constructor(private readonly signal: AbortSignal) {
    signal.addEventListener('abort', () => this.wake(), { once: true })
  }

  push(event: CacheEvent): void {
    if (this.waiting >= MOST_EVENTS) this.restart([{ kind: 'cleared', reason: 'gap' }])
    this.events.push(event)
    this.wake()
  }

  /** The next event; undefined once aborted. */
  async next(): Promise<CacheEvent | undefined> {
    while (this.waiting === 0 && !this.signal.aborted)
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    if (this.signal.aborted) return undefined
    const event = this.events[this.told]
    this.told += 1
    // Taking from the front of a long list one by one would move all of it each time.
    if (this.waiting === 0) this.restart([])
    return event
  }

  private get waiting(): number {
    return this.events.length - this.told
  }

  private restart(events: CacheEvent[]): void {
    this.events = events
    this.told = 0
  }
}
