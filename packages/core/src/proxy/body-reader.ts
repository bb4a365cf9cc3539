import type { Usage } from '../contracts/index.js'
import { EventSplitter, mayMatter, readStreamEvent, usageInAnswer, type EventBytes } from '../dialects/index.js'

/** Looks at a body while it passes. `read` and `finish` return the bytes to send on. */
export interface BodyReader {
  readonly isStream: boolean
  readonly hasContent: boolean
  readonly hasError: boolean
  readonly ended: boolean
  readonly usage: Usage | undefined
  readonly contentEvents: number
  /** The last events, as text; for the dialect's judgement of a stream's end. */
  readonly tail: string
  /** The bytes must not change afterwards. */
  read(bytes: Buffer): readonly Uint8Array[]
  finish(): readonly Uint8Array[]
}

export function createBodyReader(stream: boolean, stripUsage: boolean): BodyReader {
  return stream ? new StreamReader(stripUsage) : new PlainReader()
}

const MAX_TAIL_BYTES = 4_096

class StreamReader implements BodyReader {
  readonly isStream = true
  hasContent = false
  hasError = false
  ended = false
  usage: Usage | undefined
  contentEvents = 0
  tail = ''
  private readonly splitter = new EventSplitter()

  constructor(private readonly stripUsage: boolean) {}

  read(bytes: Buffer): readonly Uint8Array[] {
    const events = this.splitter.push(bytes)
    const kept = events.filter((event) => this.keeps(event))
    // The common case: whole events, none stripped, all in one piece of memory.
    return kept.length === events.length && joins(events, bytes) ? [bytes] : kept.map((event) => event.bytes)
  }

  finish(): readonly Uint8Array[] {
    this.ended = true
    const rest = this.splitter.rest()
    return rest.byteLength === 0 || !this.keeps({ bytes: rest, whole: true }) ? [] : [rest]
  }

  /** After the first content only events that say something about the end are read. */
  private keeps({ bytes, whole }: EventBytes): boolean {
    if (!whole) this.hasContent = true
    if (!whole || (this.hasContent && !mayMatter(bytes))) {
      this.contentEvents += 1
      return true
    }
    const event = readStreamEvent(bytes)
    if (event.kind === 'content') this.contentEvents += 1
    this.hasContent ||= event.kind === 'content'
    this.hasError ||= event.kind === 'error'
    this.usage = event.usage ?? this.usage
    if (event.kind !== 'comment') this.tail = bytes.toString('utf8', 0, MAX_TAIL_BYTES)
    return !(this.stripUsage && event.usageOnly)
  }
}

function joins(events: readonly EventBytes[], bytes: Buffer): boolean {
  let sum = 0
  for (const event of events) sum += event.bytes.byteLength
  return sum === bytes.byteLength && events[0]?.bytes.buffer === bytes.buffer && events[0].bytes.byteOffset === bytes.byteOffset
}

class PlainReader implements BodyReader {
  readonly isStream = false
  /** A plain body counts as content when it is whole. */
  readonly hasContent = false
  readonly hasError = false
  readonly contentEvents = 0
  readonly tail = ''
  ended = false
  usage: Usage | undefined
  private last: Buffer = Buffer.alloc(0)

  read(bytes: Buffer): readonly Uint8Array[] {
    const joined = this.last.byteLength === 0 ? bytes : Buffer.concat([this.last, bytes])
    this.last = joined.subarray(Math.max(0, joined.byteLength - MAX_TAIL_BYTES))
    return [bytes]
  }

  finish(): readonly Uint8Array[] {
    this.ended = true
    this.usage = usageInAnswer(this.last)
    return []
  }
}
