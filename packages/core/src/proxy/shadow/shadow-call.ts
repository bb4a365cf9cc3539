import type { Lease, RosterNode, ShadowAnswer } from '../../contracts/index.js'
import { AnswerWatch, StreamInspector } from '../../dialects/index.js'
import type { FrameVerdict, ResponseHead, UpstreamCall, UpstreamError, UpstreamEvents } from '../../wire/index.js'
import type { Admitted } from '../admit.js'
import { PlainReader, StreamReader, type BodyReader } from '../body-reader.js'

/** What came of the copy. */
export interface CopyEnd {
  readonly answer: ShadowAnswer
  /** The whole text; undefined where it is none, or more than is kept. */
  readonly text: string | undefined
}

export interface ShadowCallOptions {
  readonly request: Admitted
  readonly node: RosterNode
  readonly lease: Lease
  readonly nowMs: () => number
  /** Once; not where it was given up. */
  readonly onEnd: (end: CopyEnd) => void
}

/** The answer to a copied request: read, looked at, and thrown away. */
export class ShadowCall implements UpstreamEvents {
  readonly takesFrames = false
  private readonly startedMs: number
  private call: UpstreamCall | undefined
  private head: ResponseHead | undefined
  private reader: BodyReader | undefined
  private firstContentMs: number | undefined
  private toldEvents = 0
  private isOver = false

  constructor(private readonly options: ShadowCallOptions) {
    this.startedMs = options.nowMs()
  }

  began(call: UpstreamCall): void {
    this.call = call
    if (this.isOver) call.abort()
  }

  /** Nobody wants to know any more. */
  giveUp(): void {
    if (this.isOver) return
    this.isOver = true
    this.call?.abort()
    this.options.lease.settle({ outcome: 'cancelled' })
  }

  onHead(head: ResponseHead): void {
    this.head = head
    const { scan } = this.options.request
    const isStream = scan.stream && (head.headers['content-type'] ?? '').includes('text/event-stream')
    const watch = head.status < 400 ? AnswerWatch.of(scan, isStream) : undefined
    this.reader = isStream ? new StreamReader(new StreamInspector(false, undefined, undefined, watch)) : new PlainReader(watch)
  }

  onFrame(): FrameVerdict {
    return 'decode'
  }

  onFrames(): void {}

  onBody(bytes: Buffer): void {
    const { reader, options } = this
    if (reader === undefined || this.isOver) return
    reader.read(bytes)
    const { stream } = reader
    if (stream?.hasContent !== true) return
    this.firstContentMs ??= options.nowMs() - this.startedMs
    options.lease.firstToken()
    options.lease.tokens(stream.contentEvents - this.toldEvents)
    this.toldEvents = stream.contentEvents
  }

  onReadEnd(): void {
    this.reader?.keep()
  }

  onEnd(): void {
    const { head, reader, options } = this
    if (this.isOver || head === undefined || reader === undefined) return
    reader.finish()
    const { status } = head
    const isCut = status < 400 && reader.stream !== undefined && options.node.dialect.streamEnd(reader.stream.tail) !== 'complete'
    this.ended(status >= 400 ? `it answered ${status}` : isCut ? 'its stream ended without its end mark' : null)
  }

  onError(error: UpstreamError): void {
    this.ended(error.message)
  }

  private ended(failure: string | null): void {
    if (this.isOver) return
    this.isOver = true
    const { node, lease, nowMs, onEnd } = this.options
    const { head, reader } = this
    const outputTokens = reader?.stream?.contentEvents ?? 0
    lease.settle({ outcome: failure === null ? 'answered' : 'failed', usage: reader?.usage, outputTokens })
    const watch = failure === null ? reader?.watch : undefined
    const answer: ShadowAnswer = {
      node: node.id,
      status: head?.status ?? 0,
      failure,
      ttftMs: rounded(this.firstContentMs),
      totalMs: rounded(nowMs() - this.startedMs),
      completionTokens: reader?.usage?.completionTokens ?? (reader?.stream === undefined ? null : outputTokens),
      quality: watch?.quality() ?? null,
    }
    onEnd({ answer, text: wholeText(watch) })
  }
}

/** Undefined where there is none, or more than is kept. */
export function wholeText(watch: AnswerWatch | undefined): string | undefined {
  return watch?.isCut === false ? watch.content() : undefined
}

export function rounded(ms: number): number
export function rounded(ms: number | undefined): number | null
export function rounded(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.round(ms * 100) / 100
}
