const LF = 10
const CR = 13
const MAX_HELD_BYTES = 65_536

/** One whole event with the empty line that ends it, or, where `whole` is false, a piece of one that is too long to hold. */
export interface EventBytes {
  readonly bytes: Buffer
  readonly whole: boolean
}

/** Cuts an SSE byte stream at the ends of its events, whatever the cut of the chunks: HTML standard, 9.2.6, with CR, LF and CRLF. */
export class EventSplitter {
  private held: Buffer | undefined
  private lineIsEmpty = true
  private lastWasCr = false
  private inPieces = false
  private endsAfterLf = false

  /** `maxHeldBytes`: a longer unfinished event is passed on in pieces, or one line could hold the balancer's memory. */
  constructor(private readonly maxHeldBytes = MAX_HELD_BYTES) {}

  /** True between two events. */
  get atBoundary(): boolean {
    return this.held === undefined && !this.inPieces && !this.endsAfterLf
  }

  /** Events are views into the given bytes, or copies of what came earlier. */
  push(bytes: Buffer): EventBytes[] {
    if (this.atBoundary && !this.lastWasCr && isOneEvent(bytes, 0, bytes.byteLength)) return [{ bytes, whole: true }]
    const events: EventBytes[] = []
    let from = 0
    for (let at = 0; at < bytes.byteLength; at += 1) {
      if (!this.endsEvent(bytes[at] ?? 0, bytes[at + 1])) continue
      events.push(this.complete(bytes.subarray(from, at + 1)))
      from = at + 1
    }
    if (from < bytes.byteLength) this.hold(bytes.subarray(from), events)
    return events
  }

  /** What stands behind the last whole event; empty when the stream ended at an event's end. */
  rest(): Buffer {
    const rest = this.held ?? Buffer.alloc(0)
    this.held = undefined
    return rest
  }

  /** Feeds one byte; true when it is the last one of an event. A CR that ends one takes a following LF of the same chunk with it. */
  private endsEvent(byte: number, next: number | undefined): boolean {
    if (byte === LF && this.lastWasCr) {
      this.lastWasCr = false
      const pending = this.endsAfterLf
      this.endsAfterLf = false
      return pending
    }
    if (byte !== LF && byte !== CR) {
      this.lineIsEmpty = false
      this.lastWasCr = false
      return false
    }
    const ends = this.lineIsEmpty
    this.lineIsEmpty = true
    this.lastWasCr = byte === CR
    this.endsAfterLf = ends && byte === CR && next === LF
    return ends && !this.endsAfterLf
  }

  private complete(bytes: Buffer): EventBytes {
    const whole = !this.inPieces
    const all = this.held === undefined ? bytes : Buffer.concat([this.held, bytes])
    this.held = undefined
    this.inPieces = false
    return { bytes: all, whole }
  }

  private hold(bytes: Buffer, events: EventBytes[]): void {
    const all = Buffer.concat(this.held === undefined ? [bytes] : [this.held, bytes])
    if (all.byteLength <= this.maxHeldBytes) return void (this.held = all)
    this.held = undefined
    this.inPieces = true
    events.push({ bytes: all, whole: false })
  }
}

/** True when [start, end) is exactly one event that ends with an empty line of LF or CRLF. False may only mean that it takes a closer look. */
export function isOneEvent(bytes: Buffer, start: number, end: number): boolean {
  if (hasLoneCr(bytes, start, end)) return false
  let at = start
  for (;;) {
    const feed = bytes.indexOf(LF, at)
    if (feed === -1 || feed >= end - 1) return false
    const next = bytes[feed + 1]
    if (next === LF) return feed + 2 === end && feed > start
    if (next === CR) return feed + 3 === end
    at = feed + 1
  }
}

/** A line may end with CR alone; nobody writes that, and the fast path does not read it. */
function hasLoneCr(bytes: Buffer, start: number, end: number): boolean {
  for (let at = bytes.indexOf(CR, start); at !== -1 && at < end; at = bytes.indexOf(CR, at + 2))
    if (at + 1 >= end || bytes[at + 1] !== LF) return true
  return false
}
