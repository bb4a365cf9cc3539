import type { Usage } from '../contracts/index.js'
import type { AnswerWatch } from './answer-quality.js'
import type { DeliveredLedger } from './delivered-ledger.js'
import { identityOf } from './begun-stream.js'
import { sharedBytes } from './shared-bytes.js'
import { readStreamEvent, type StreamEvent } from './stream-event.js'

const QUOTE = 0x22
const BACKSLASH = 0x5c
/** Bytes before the content that must look the same: `{"content":"` and its like. */
const MARKER_BYTES = 12
const MAX_TAIL_BYTES = 4_096
/** What stands behind the text is so long at most, but for engines that pad their events. */
const SHORT_BYTES = 256
/** A stream with more events than this that are no JSON is not read any more, only passed on. */
const MOST_GARBAGE_EVENTS = 64
const MAX_FAILURE = 300
const UNREAD: StreamEvent = { kind: 'content', usageOnly: false }

/** Where one plain content event had its text, and what stood around it. The next ones look the same but for the text. */
interface Template {
  readonly contentAt: number
  readonly marker: Buffer
  readonly suffix: Buffer
}

/**
 * Looks at each event of a stream on its way. An event that looks like the last plain content event is recognised by comparing some forty bytes; only
 * the others (the first, the last, usage, errors, tool calls) are parsed.
 */
export class StreamInspector {
  hasContent = false
  hasError = false
  usage: Usage | undefined
  /** Events that carried content; an estimate of tokens where usage is missing. */
  contentEvents = 0
  /** Content was among it that is more than the plain text of one choice: reasoning, a tool call, what could not be read. */
  hasOther = false
  /** Why the answer ended, where the engine has said so. */
  finish: string | undefined
  /** What an engine said that cannot go on with an answer that another node could; the client sees neither that nor what follows. */
  failure: string | undefined
  /** What the first event said besides its choices; only where there is a ledger. */
  identity: Readonly<Record<string, unknown>> | undefined
  /** The last events that were no plain content, as text; for the dialect's judgement of a stream's end. */
  tail = ''
  private template: Template | undefined
  private garbageEvents = 0

  constructor(
    private readonly stripUsage: boolean,
    readonly ledger: DeliveredLedger | undefined,
    /** Whether an event says that the engine is dying, and not that the request is wrong. */
    private readonly saysDeath: (event: StreamEvent) => boolean = () => false,
    /** Looks at the text; there while a revision is judged. */
    readonly watch?: AnswerWatch | undefined,
  ) {}

  /** Reads one whole event, [start, end) of `bytes`. False: the client must not see it. */
  event(bytes: Buffer, start: number, end: number): boolean {
    if (this.failure !== undefined) return false
    // A bare line end says nothing; poured by the thousand they would hold everybody up.
    if (end - start <= 2) return true
    if (this.template !== undefined && this.isPlain(this.template, bytes, start, end)) return true
    return this.readEvent(bytes.subarray(start, end))
  }

  /** What stands behind the last whole event when the stream has ended. False: half an event, which nobody can read. */
  rest(bytes: Buffer): boolean {
    return readStreamEvent(bytes).isGarbage !== true && this.event(bytes, 0, bytes.byteLength)
  }

  /** A piece of an event that is too long to be held: content, whatever it says. */
  piece(): void {
    this.hasContent = true
    this.hasOther = true
    this.contentEvents += 1
    this.watch?.piece()
  }

  private isPlain({ contentAt, marker, suffix }: Template, bytes: Buffer, start: number, end: number): boolean {
    const from = start + contentAt
    for (let index = 0; index < MARKER_BYTES; index += 1) if (bytes[from - MARKER_BYTES + index] !== marker[index]) return false
    let at = from
    while (at < end && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1
    // An empty text is no content.
    if (at === from || end - at !== suffix.byteLength) return false
    if (!standsAt(bytes, at, suffix)) return false
    this.contentEvents += 1
    this.ledger?.append(bytes, from, at)
    this.watch?.append(bytes, from, at)
    return true
  }

  private readEvent(bytes: Buffer): boolean {
    // Each unreadable event costs an exception; poured by the thousand they would hold everybody up.
    const event: StreamEvent = this.garbageEvents > MOST_GARBAGE_EVENTS ? UNREAD : readStreamEvent(bytes)
    if (event.isGarbage === true) this.garbageEvents += 1
    if ((event.kind === 'error' || event.finish !== undefined) && this.canMove && this.saysDeath(event)) {
      this.failure = shortened(bytes).slice(0, MAX_FAILURE).trim()
      return false
    }
    this.watch?.event(event)
    if (event.kind === 'content') this.contentEvents += 1
    this.hasContent ||= event.kind === 'content'
    this.hasError ||= event.kind === 'error'
    this.hasOther ||= event.kind === 'content' && event.text === undefined
    this.finish = event.finish ?? this.finish
    if (this.identity === undefined && this.ledger !== undefined && event.fields !== undefined) this.identity = identityOf(event.fields)
    this.usage = event.usage ?? this.usage
    if (event.text !== undefined && event.text !== '') {
      this.ledger?.appendText(event.text)
      if (event.usage === undefined) this.learn(bytes, event.text)
    }
    if (event.kind !== 'comment' && event.text === undefined) this.tail = `${this.tail}${shortened(bytes)}`.slice(-MAX_TAIL_BYTES)
    return !(this.stripUsage && event.usageOnly)
  }

  /** Nothing was said yet, or another node may go on. */
  private get canMove(): boolean {
    return !this.hasContent || (this.ledger?.complete === true && !this.hasOther)
  }

  private learn(bytes: Buffer, text: string): void {
    const inside = JSON.stringify(text).slice(1, -1)
    const key = bytes.includes('"text":"') ? '"text":"' : '"content":"'
    const contentAt = bytes.indexOf(key) + key.length
    const contentEnd = contentAt + Buffer.byteLength(inside)
    // Engines that escape otherwise than JSON.stringify are learned from an event that needs no escapes.
    const fits = contentAt >= MARKER_BYTES && bytes.toString('utf8', contentAt, contentEnd) === inside && bytes[contentEnd] === QUOTE
    if (!fits) return
    this.template = {
      contentAt,
      marker: sharedBytes(bytes, contentAt - MARKER_BYTES, contentAt),
      suffix: sharedBytes(bytes, contentEnd, bytes.byteLength),
    }
  }
}

/** A call into Node.js costs as much as comparing some hundred bytes here. */
function standsAt(bytes: Buffer, at: number, expected: Buffer): boolean {
  const { byteLength } = expected
  if (byteLength > SHORT_BYTES) return bytes.compare(expected, 0, byteLength, at, at + byteLength) === 0
  for (let index = 0; index < byteLength; index += 1) if (bytes[at + index] !== expected[index]) return false
  return true
}

/** An event's text; of a long one its beginning, which says what it is, and an end, so that the next one starts on a line of its own. */
function shortened(bytes: Buffer): string {
  return bytes.byteLength <= MAX_TAIL_BYTES / 2 ? bytes.toString('utf8') : `${bytes.toString('utf8', 0, MAX_TAIL_BYTES / 2)}\n\n`
}
