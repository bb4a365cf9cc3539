/** A network: what goes in comes out in the same order, so much later. */
export class DelayLine<Message> {
  private readonly messages: (Message | undefined)[] = []
  private readonly times: number[] = []
  private head = 0

  constructor(private readonly delayMs: number) {}

  /** Infinity when nothing is under way. */
  get firstMs(): number {
    return this.times[this.head] ?? Infinity
  }

  /** Calls must be in order of time. */
  send(nowMs: number, message: Message): void {
    this.messages.push(message)
    this.times.push(nowMs + this.delayMs)
  }

  /** Undefined when nothing is under way. */
  take(): Message | undefined {
    const message = this.messages[this.head]
    this.messages[this.head] = undefined
    this.head++
    if (this.head === this.messages.length) this.head = this.messages.length = this.times.length = 0
    else if (this.head > 4096) this.compact()
    return message
  }

  private compact(): void {
    this.messages.splice(0, this.head)
    this.times.splice(0, this.head)
    this.head = 0
  }
}
