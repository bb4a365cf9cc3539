import type { Usage } from '../contracts/index.js'
import { EventSplitter, isOneEvent, usageInAnswer, type AnswerWatch, type StreamInspector, type TokenLedger } from '../dialects/index.js'
import type { FrameVerdict } from '../wire/index.js'

/** Looks at a body while it passes. `read` and `finish` return the bytes to send on: views into what was given, or memory of their own. */
export interface BodyReader {
  /** There for event streams. */
  readonly stream: StreamInspector | undefined
  /** There where the engine tells the ids of its tokens. */
  readonly ids?: TokenLedger | undefined
  /** There while a revision is judged. */
  readonly watch: AnswerWatch | undefined
  readonly ended: boolean
  readonly usage: Usage | undefined
  /** Between two events: something may be put between them, and whole chunk frames may pass. */
  readonly atBoundary: boolean
  read(bytes: Buffer): readonly Buffer[]
  /** The bytes that were read are about to be overwritten. */
  keep(): void
  /** Judges one whole chunk frame, [start, end) of `bytes`; asked only at a boundary. */
  frame(bytes: Buffer, start: number, end: number): FrameVerdict
  finish(): readonly Buffer[]
}

/** The first event of a stream may bring the ids of a long prompt. */
const MAX_EVENT_BYTES_WITH_IDS = 2 * 1024 * 1024

/** Looks at each event of a stream. */
export class StreamReader implements BodyReader {
  ended = false
  private readonly splitter: EventSplitter
  private endsInside = false

  /** `ids`: events bring the ids of their tokens, which the client must not see. */
  constructor(
    readonly stream: StreamInspector,
    readonly ids?: TokenLedger | undefined,
  ) {
    this.splitter = new EventSplitter(ids === undefined ? undefined : MAX_EVENT_BYTES_WITH_IDS)
  }

  get usage(): Usage | undefined {
    return this.stream.usage
  }

  get watch(): AnswerWatch | undefined {
    return this.stream.watch
  }

  get atBoundary(): boolean {
    return this.splitter.atBoundary && !this.endsInside
  }

  read(bytes: Buffer): readonly Buffer[] {
    const kept: Buffer[] = []
    for (const event of this.splitter.push(bytes)) {
      if (!event.whole) this.stream.piece()
      const bytes = event.whole && this.ids !== undefined ? this.ids.take(event.bytes) : event.bytes
      if (!event.whole || this.look(bytes)) kept.push(bytes)
    }
    return kept
  }

  frame(bytes: Buffer, start: number, end: number): FrameVerdict {
    if (this.ids !== undefined || !isOneEvent(bytes, start, end)) return 'decode'
    return this.stream.event(bytes, start, end) ? 'pass' : 'drop'
  }

  /** Its splitter copies what it holds. */
  keep(): void {}

  private look(event: Buffer): boolean {
    const { ids, stream } = this
    if (ids === undefined) return stream.event(event, 0, event.byteLength)
    const before = stream.ledger?.byteLength
    const shown = stream.event(event, 0, event.byteLength)
    ids.settle(stream.ledger?.byteLength !== before)
    return shown
  }

  finish(): readonly Buffer[] {
    this.ended = true
    const left = this.splitter.rest()
    const rest = this.ids?.take(left) ?? left
    if (rest.byteLength === 0 || !this.stream.rest(rest)) return []
    this.endsInside = true
    return [rest]
  }
}

const MAX_TAIL_BYTES = 4_096

/** Keeps the end of a plain body, where its usage stands. */
export class PlainReader implements BodyReader {
  readonly stream = undefined
  readonly atBoundary = false
  ended = false
  usage: Usage | undefined
  private last: Buffer | undefined
  private isKept = false

  constructor(readonly watch: AnswerWatch | undefined) {}

  read(bytes: Buffer): readonly Buffer[] {
    const { last } = this
    this.watch?.plain(bytes)
    this.isKept = last !== undefined && bytes.byteLength < MAX_TAIL_BYTES
    this.last = this.isKept && last !== undefined ? Buffer.concat([last, bytes]).subarray(-MAX_TAIL_BYTES) : bytes
    return [bytes]
  }

  /** An answer that comes in one read is never copied. */
  keep(): void {
    if (this.isKept || this.last === undefined) return
    this.last = Buffer.from(this.last.subarray(-MAX_TAIL_BYTES))
    this.isKept = true
  }

  frame(): FrameVerdict {
    return 'decode'
  }

  finish(): readonly Buffer[] {
    this.ended = true
    this.usage = this.last === undefined ? undefined : usageInAnswer(this.last)
    return []
  }
}
