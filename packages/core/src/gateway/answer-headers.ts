import type { HeaderView } from '../contracts/index.js'
import type { AnswerHead, Exchange, ExchangeHead } from '../wire/index.js'

/** The same exchange, whose answer carries further headers, whoever gives it. */
export function withAnswerHeaders(exchange: Exchange, headers: HeaderView): Exchange {
  return new ExtendedExchange(exchange, headers)
}

class ExtendedExchange implements Exchange {
  readonly head: ExchangeHead
  readonly peer: Exchange['peer']

  constructor(
    private readonly inner: Exchange,
    private readonly headers: HeaderView,
  ) {
    this.head = inner.head
    this.peer = inner.peer
  }

  respond(head: AnswerHead): void {
    this.inner.respond({ ...head, headers: { ...head.headers, ...this.headers } })
  }

  get committed(): boolean {
    return this.inner.committed
  }

  get takesFrames(): boolean {
    return this.inner.takesFrames
  }

  readBody(...asked: Parameters<Exchange['readBody']>): ReturnType<Exchange['readBody']> {
    return this.inner.readBody(...asked)
  }

  write(bytes: Uint8Array): boolean {
    return this.inner.write(bytes)
  }

  writeFrames(frames: Uint8Array, last: boolean): boolean {
    return this.inner.writeFrames(frames, last)
  }

  onDrain(callback: () => void): void {
    this.inner.onDrain(callback)
  }

  end(bytes?: Uint8Array): void {
    this.inner.end(bytes)
  }

  abort(): void {
    this.inner.abort()
  }

  onGone(callback: () => void): void {
    this.inner.onGone(callback)
  }
}
