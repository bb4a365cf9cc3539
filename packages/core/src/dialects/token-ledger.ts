import type { ExactContinuation } from '../contracts/index.js'

/** Prompts of more tokens are not kept: a stream behind one goes on by its text. */
const MAX_PROMPT_TOKENS = 65_536
const MAX_TOKENS = 65_536
const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const SPACE = 0x20
const OPEN = new Set([0x5b, 0x7b])
const CLOSE = new Set([0x5d, 0x7d])

/**
 * The ids of the tokens that a client was given, taken out of the events that bring them. An event's other bytes stay as they are; only the field's own are
 * parsed.
 */
export class TokenLedger {
  private promptIds: Uint32Array | undefined
  private promptCame = false
  private delivered = new Uint32Array(64)
  private used = 0
  private pending: number[] = []
  private bytes = 0
  private pendingBytes = 0
  /** Some text came without its ids. */
  private missed = false
  private readonly tokensKey: Buffer
  private readonly promptKey: Buffer | undefined

  constructor(private readonly how: ExactContinuation) {
    this.tokensKey = Buffer.from(`,"${how.field}":`)
    if (how.promptField !== undefined) this.promptKey = Buffer.from(`,"${how.promptField}":`)
  }

  /** Undefined where they were not told. */
  get prompt(): readonly number[] | undefined {
    return this.promptIds === undefined ? undefined : Array.from(this.promptIds)
  }

  get count(): number {
    return this.used
  }

  /** The event without its ids, which wait for `settle`. */
  take(event: Buffer): Buffer {
    let left = event
    if (this.promptKey !== undefined && !this.promptCame) left = this.without(left, this.promptKey, (value) => this.notePrompt(value))
    return this.without(left, this.tokensKey, (value) => this.note(this.how.tokensOf(value)))
  }

  /** The same for an event that was parsed. */
  note(told: ReturnType<ExactContinuation['tokensOf']>): void {
    if (told === undefined) return
    for (const id of told.ids) this.pending.push(id)
    this.pendingBytes += told.bytes ?? 0
  }

  /** Whether the event had text for the client. Ids without text are part of a character that is not whole: they count once it is. */
  settle(hadText: boolean): void {
    if (!hadText) return
    if (this.pending.length === 0) this.missed = true
    if (this.used + this.pending.length > MAX_TOKENS) this.missed = true
    else for (const id of this.pending) this.append(id)
    this.bytes += this.pendingBytes
    this.pending.length = 0
    this.pendingBytes = 0
  }

  /** All ids of the text; undefined where one may be missing. */
  idsOf(text: string): readonly number[] | undefined {
    if (this.missed || (this.bytes > 0 && this.bytes !== Buffer.byteLength(text))) return undefined
    return Array.from(this.delivered.subarray(0, this.used))
  }

  private notePrompt(value: unknown): void {
    this.promptCame = true
    if (isIds(value) && value.length <= MAX_PROMPT_TOKENS) this.promptIds ??= Uint32Array.from(value)
  }

  private append(id: number): void {
    if (this.used === this.delivered.length) {
      const larger = new Uint32Array(this.used * 2)
      larger.set(this.delivered)
      this.delivered = larger
    }
    this.delivered[this.used] = id
    this.used += 1
  }

  private without(event: Buffer, key: Buffer, note: (value: unknown) => void): Buffer {
    const at = event.indexOf(key)
    if (at === -1) return event
    let start = at + key.byteLength
    if (event[start] === SPACE) start += 1
    const end = endOfValue(event, start)
    try {
      note(JSON.parse(event.toString('latin1', start, end)))
    } catch {
      return event
    }
    return Buffer.concat([event.subarray(0, at), event.subarray(end)])
  }
}

function isIds(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((id) => Number.isInteger(id) && id >= 0)
}

/** Behind the JSON value that starts at `start`. */
function endOfValue(bytes: Buffer, start: number): number {
  let depth = 0
  for (let at = start; at < bytes.byteLength; at += 1) {
    const byte = bytes[at] ?? 0
    if (byte === QUOTE) at = endOfString(bytes, at)
    else if (OPEN.has(byte)) depth += 1
    else if (CLOSE.has(byte)) depth -= 1
    else if (byte === COMMA && depth === 0) return at
    if (depth < 0) return at
    if (depth === 0 && (OPEN.has(bytes[start] ?? 0) || bytes[start] === QUOTE)) return at + 1
  }
  return bytes.byteLength
}

function endOfString(bytes: Buffer, start: number): number {
  let at = start + 1
  while (at < bytes.byteLength && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1
  return at
}
