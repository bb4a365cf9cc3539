/** First come, first served, but a preempted sequence goes back to the front. Cancelled ones are skipped, not searched for. */
export class WaitingQueue<S extends { readonly state: string }> {
  /** Preempted: the last one in is the first one out, which restores the order of arrival. */
  private readonly front: S[] = []
  private readonly line: S[] = []
  private head = 0
  private waiting = 0

  get size(): number {
    return this.waiting
  }

  pushBack(sequence: S): void {
    this.line.push(sequence)
    this.waiting++
  }

  pushFront(sequence: S): void {
    this.front.push(sequence)
    this.waiting++
  }

  peek(): S | undefined {
    while (this.front.at(-1)?.state === 'cancelled') this.front.pop()
    if (this.front.length > 0) return this.front.at(-1)
    while (this.line[this.head]?.state === 'cancelled') this.skip()
    return this.line[this.head]
  }

  /** Takes off what `peek` returned. */
  shift(): void {
    if (this.front.length > 0) this.front.pop()
    else this.skip()
    this.waiting--
  }

  /** Counts a cancelled sequence out; it leaves the line when it reaches the head. */
  discount(): void {
    this.waiting--
  }

  private skip(): void {
    this.head++
    if (this.head < 1024 || this.head * 2 < this.line.length) return
    this.line.splice(0, this.head)
    this.head = 0
  }
}
