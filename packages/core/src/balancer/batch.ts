import type { TimerWheel } from '../wire/index.js'

const MOST_WAITING = 256

/** Collects what requests tell at their ends and hands it on in one go: counting a hundred items in a row costs a fraction of counting each on its own. */
export class Batch<Item> {
  private waiting: Item[] = []
  private armed = false

  constructor(
    private readonly wheel: TimerWheel,
    private readonly deliver: (items: readonly Item[]) => void,
  ) {}

  add(item: Item): void {
    this.waiting.push(item)
    if (this.waiting.length >= MOST_WAITING) return this.flush()
    if (this.armed) return
    this.armed = true
    this.wheel.after(0, () => {
      this.armed = false
      this.flush()
    })
  }

  /** Whoever is about to read numbers asks for this first. */
  flush(): void {
    if (this.waiting.length === 0) return
    const items = this.waiting
    this.waiting = []
    this.deliver(items)
  }
}
