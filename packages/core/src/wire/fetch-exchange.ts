import { BodyCollector, type BodyWatch } from './body-collector.js'
import { clientGone } from './body-errors.js'
import type { AnswerHead, Exchange, ExchangeHead } from './exchange.js'

/** The `fetch` door: a web Request in, a web Response out, for Hono, workers and tests. */
export function fetchExchange(request: Request): { readonly exchange: Exchange; readonly response: Promise<Response> } {
  const exchange = new FetchExchange(request)
  return { exchange, response: exchange.response }
}

class FetchExchange implements Exchange {
  readonly head: ExchangeHead
  readonly peer = { address: 'fetch' }
  readonly response: Promise<Response>
  committed = false
  private answer: (response: Response) => void = () => undefined
  private fail: (error: unknown) => void = () => undefined
  private body: ReadableStreamDefaultController<Uint8Array> | undefined
  private onDrained: () => void = () => undefined
  private gone = false
  private onGoneCallback: () => void = () => undefined

  constructor(private readonly request: Request) {
    const url = new URL(request.url)
    this.head = { method: request.method, path: url.pathname, query: url.search.slice(1), headers: Object.fromEntries(request.headers) }
    this.response = new Promise((resolve, reject) => {
      this.answer = resolve
      this.fail = reject
    })
    request.signal.addEventListener('abort', () => this.clientLeft(), { once: true })
  }

  async readBody(limitBytes: number, watch?: BodyWatch): Promise<Buffer> {
    const collector = new BodyCollector(limitBytes, undefined, watch)
    try {
      for await (const part of this.request.body ?? []) collector.onBody(Buffer.from(part.buffer, part.byteOffset, part.byteLength))
    } catch (error) {
      throw this.request.signal.aborted ? clientGone() : error
    }
    return collector.whole()
  }

  respond({ status, headers, shared }: AnswerHead): void {
    this.committed = true
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => void (this.body = controller),
      pull: () => this.onDrained(),
      cancel: () => this.clientLeft(),
    })
    const empty = status === 204 || status === 304
    this.answer(new Response(empty ? null : stream, { status, headers: { ...shared, ...headers } }))
  }

  write(bytes: Uint8Array): boolean {
    if (this.gone) return true
    this.body?.enqueue(Uint8Array.from(bytes))
    return (this.body?.desiredSize ?? 1) > 0
  }

  readonly takesFrames = false

  writeFrames(): boolean {
    throw new Error('this door takes no frames')
  }

  onDrain(callback: () => void): void {
    this.onDrained = callback
  }

  end(bytes?: Uint8Array): void {
    if (this.gone) return
    if (bytes !== undefined && bytes.byteLength > 0) this.body?.enqueue(Uint8Array.from(bytes))
    this.body?.close()
  }

  abort(): void {
    const error = new TypeError('the answer broke off')
    this.body?.error(error)
    this.fail(error)
  }

  onGone(callback: () => void): void {
    if (this.gone) callback()
    else this.onGoneCallback = callback
  }

  private clientLeft(): void {
    if (this.gone) return
    this.gone = true
    if (!this.committed) this.fail(this.request.signal.reason ?? clientGone())
    this.onGoneCallback()
  }
}
