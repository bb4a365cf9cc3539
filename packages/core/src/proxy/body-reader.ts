import type { Usage } from '../contracts/index.js'
import { EventSplitter, isOneEvent, usageInAnswer, type StreamInspector } from '../dialects/index.js'
import type { FrameVerdict } from '../wire/index.js'

/** Looks at a body while it passes. `read` and `finish` return the bytes to send on: views into what was given, or memory of their own. */
export interface BodyReader {
  /** There for event streams. */
  readonly stream: StreamInspector | undefined
  readonly ended: boolean
  readonly usage: Usage | undefined
  /** Between two events: something may be put between them, and whole chunk frames may pass. */
  readonly atBoundary: boolean
  read(bytes: Buffer): readonly Buffer[]
  /** Judges one whole chunk frame, [start, end) of `bytes`; asked only at a boundary. */
  frame(bytes: Buffer, start: number, end: number): FrameVerdict
  finish(): readonly Buffer[]
}

/** Looks at each event of a stream. */
export class StreamReader implements BodyReader {
  ended = false
  private readonly splitter = new EventSplitter()
  private endsInside = false

  constructor(readonly stream: StreamInspector) {}

  get usage(): Usage | undefined {
    return this.stream.usage
  }

  get atBoundary(): boolean {
    return this.splitter.atBoundary && !this.endsInside
  }

  read(bytes: Buffer): readonly Buffer[] {
    const kept: Buffer[] = []
    for (const event of this.splitter.push(bytes)) {
      if (!event.whole) this.stream.piece()
      if (!event.whole || this.stream.event(event.bytes, 0, event.bytes.byteLength)) kept.push(event.bytes)
    }
    return kept
  }

  frame(bytes: Buffer, start: number, end: number): FrameVerdict {
    if (!isOneEvent(bytes, start, end)) return 'decode'
    return this.stream.event(bytes, start, end) ? 'pass' : 'drop'
  }

  finish(): readonly Buffer[] {
    this.ended = true
    const rest = this.splitter.rest()
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

  read(bytes: Buffer): readonly Buffer[] {
    const { last } = this
    // A copy: the bytes are the socket's again after the read.
    if (bytes.byteLength >= MAX_TAIL_BYTES || last === undefined) this.last = Buffer.from(bytes.subarray(-MAX_TAIL_BYTES))
    else this.last = Buffer.concat([last, bytes]).subarray(-MAX_TAIL_BYTES)
    return [bytes]
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
