import type { HeaderView } from '../contracts/index.js'
import { BodyCollector, type BodyWatch } from './body-collector.js'
import { clientGone } from './body-errors.js'
import { dateLine, statusLine } from './response-text.js'
import type { DoorConnection } from './door-connection.js'
import type { AnswerHead, Exchange, ExchangeHead } from './exchange.js'
import type { RequestHead } from './request-head.js'

const NOTHING = new Uint8Array(0)

type Framing = 'length' | 'chunked' | 'until-close' | 'none'

/** One request at the listen door. The connection feeds it the body and is told when the answer is over. */
export class DoorExchange implements Exchange {
  readonly head: ExchangeHead
  readonly peer: { readonly address: string }
  committed = false
  takesFrames = false
  /** The answer was ended or broken off. */
  over = false
  /** The whole request body has arrived. */
  bodyDone: boolean
  private pendingHead = ''
  private framing: Framing = 'none'
  private collector: BodyCollector | undefined
  private settleBody: { resolve(bytes: Buffer): void; reject(error: unknown): void } | undefined
  private gone = false
  private onGoneCallback: (() => void) | undefined

  constructor(
    private readonly connection: DoorConnection,
    readonly request: RequestHead,
    address: string,
  ) {
    this.head = request.head
    this.peer = { address }
    this.bodyDone = request.body === 0
  }

  readBody(limitBytes: number, watch?: BodyWatch): Buffer | Promise<Buffer> {
    if (this.gone) throw clientGone()
    const { body } = this.request
    const collector = new BodyCollector(limitBytes, body === 'chunked' ? undefined : body, watch)
    this.collector = collector
    this.connection.startBody(this)
    if (this.bodyDone) {
      this.collector = undefined
      return collector.whole()
    }
    return new Promise((resolve, reject) => (this.settleBody = { resolve, reject }))
  }

  /** The body is being read: bytes may come. */
  get wantsBody(): boolean {
    return this.collector !== undefined && !this.bodyDone
  }

  get collectedBytes(): number {
    return this.collector?.bytes ?? 0
  }

  /** From the connection. Throws what is wrong with the body. */
  onBody(bytes: Buffer): void {
    this.collector?.onBody(bytes)
  }

  bodyEnded(): void {
    this.bodyDone = true
    if (this.settleBody === undefined || this.collector === undefined) return
    this.settleBody.resolve(this.collector.whole())
    this.settleBody = undefined
    this.collector = undefined
  }

  /** The body cannot be read to its end. False while nobody waits for it: then the caller throws. */
  bodyFailed(error: unknown): boolean {
    this.collector = undefined
    if (this.settleBody === undefined) return false
    this.settleBody.reject(error)
    this.settleBody = undefined
    return true
  }

  respond({ status, headers, shared }: AnswerHead): void {
    if (this.committed || this.over) return
    this.committed = true
    const { http11 } = this.request
    this.framing = framingOf(this.head.method, status, headers, http11)
    if (!this.bodyDone || this.framing === 'until-close') this.connection.closeAfterAnswer()
    let text = shared === undefined ? statusLine(status) : sharedText(status, shared)
    for (const name in headers) text += `${name}: ${headers[name] ?? ''}\r\n`
    if (this.framing === 'chunked') {
      this.takesFrames = true
      text += 'transfer-encoding: chunked\r\n'
    }
    if (!this.connection.staysOpen) text += 'connection: close\r\n'
    else if (!http11) text += 'connection: keep-alive\r\n'
    this.pendingHead = text + dateLine()
  }

  write(bytes: Uint8Array): boolean {
    if (this.over || bytes.byteLength === 0) return true
    if (this.framing === 'none') return this.flushHead()
    if (this.framing !== 'chunked') return this.send('', bytes, '')
    return this.send(`${bytes.byteLength.toString(16)}\r\n`, bytes, '\r\n')
  }

  writeFrames(frames: Uint8Array, last: boolean): boolean {
    if (this.over) return true
    const flows = this.send('', frames, '')
    if (last) this.finish()
    return flows
  }

  end(bytes?: Uint8Array): void {
    if (this.over) return
    const none = bytes === undefined || bytes.byteLength === 0 || this.framing === 'none'
    if (this.framing === 'chunked') {
      if (none) this.send('0\r\n\r\n', NOTHING, '')
      else this.send(`${bytes.byteLength.toString(16)}\r\n`, bytes, '\r\n0\r\n\r\n')
    } else if (none) this.flushHead()
    else this.send('', bytes, '')
    this.finish()
  }

  abort(): void {
    if (this.over) return
    this.over = true
    if (this.framing === 'until-close') this.connection.breakOff()
    else this.connection.destroy()
  }

  onDrain(callback: () => void): void {
    this.connection.writer.onDrain = callback
  }

  onGone(callback: () => void): void {
    if (this.gone) callback()
    else this.onGoneCallback = callback
  }

  /** The client left; nothing more reaches it. */
  clientLeft(): void {
    if (this.over || this.gone) return
    this.gone = true
    this.over = true
    this.bodyFailed(clientGone())
    const callback = this.onGoneCallback
    this.onGoneCallback = undefined
    callback?.()
  }

  private finish(): void {
    this.over = true
    this.onGoneCallback = undefined
    this.connection.answered()
  }

  private flushHead(): boolean {
    return this.pendingHead === '' || this.connection.writer.write(this.takeHead())
  }

  private takeHead(): string {
    const head = this.pendingHead
    this.pendingHead = ''
    return head
  }

  /** One write: small pieces as one string, which Node.js copies to the kernel from its stack; large ones as one buffer. */
  private send(before: string, bytes: Uint8Array, after: string): boolean {
    const head = this.takeHead()
    return this.connection.writer.writeAround(`${head}${before}`, bytes, after, head !== '')
  }
}

interface SharedText {
  readonly status: number
  readonly text: string
}

const texts = new WeakMap<HeaderView, SharedText>()

/** The status line and the headers that many answers share; joined, for what was added up is kept as its parts and read slowly. */
function sharedText(status: number, headers: HeaderView): string {
  const known = texts.get(headers)
  if (known?.status === status) return known.text
  const text = [statusLine(status), ...Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)].join('')
  texts.set(headers, { status, text })
  return text
}

function framingOf(method: string, status: number, headers: HeaderView, http11: boolean): Framing {
  if (method === 'HEAD' || status === 204 || status === 304 || status < 200) return 'none'
  if (headers['content-length'] !== undefined) return 'length'
  return http11 ? 'chunked' : 'until-close'
}
