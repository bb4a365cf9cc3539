import { MAX_KEYS, scannerModule, WINDOW_BYTES, type ScannerModule } from './scanner-module.js'
import { JsonScanError, type Extent, type TopLevel } from './top-level.js'
import { Utf8Pieces } from './utf8-pieces.js'

/** Bytes of one top-level key, quotes and escapes as they are written. */
const MAX_KEY_BYTES = 1_024
/** Words of the module's state that one scan must find again: state, depth, kinds, progress, keys, offset. */
const STATE_WORDS = 7
const STATE = 0
const OFFSET = 6
const MARKS = 7
const STOPPED_AT = 8
const BODY_END = 1

/** What is wrong, by the number of the grammar's state in wasm/scan-json.wat. */
const messages: readonly string[] = [
  'the body must be a JSON object',
  'something follows the JSON object',
  'a key in double quotes is expected',
  'a key in double quotes is expected',
  'a string does not end',
  'a colon is expected',
  'a value is expected',
  'a value is expected',
  'a string does not end',
  ...Array<string>(9).fill('a value is expected'),
  'a comma or ] is expected',
  'a comma or } is expected',
  'a control character stands in a string',
  'a bad escape',
  'a bad \\u escape',
  'nested deeper than 64',
  `more than ${MAX_KEYS} top-level keys`,
]

/**
 * Checks a body against the whole grammar of RFC 8259 while it arrives, and notes the extents of its top-level values. Refuses anything else than an
 * object, invalid UTF-8, nesting over 64 (it makes V8's parser slow, and no request needs it), a top-level key that stands twice (two readers could
 * disagree about it), more than 1,024 top-level keys and keys over 1 KiB. However a body is cut, it gets the same answer. Any number of scanners may be
 * under way; one that is no longer wanted is simply dropped.
 */
export class BodyScanner {
  /** STATE_WORDS of them. A plain list: a typed array of so few takes more memory than they do. */
  private readonly kept = [0, 0, 0, 0, 0, 0, 0]
  private readonly fields = new Map<string, Extent>()
  private readonly utf8 = new Utf8Pieces()
  /** The member that is being read: how many of its offsets are known, and these. */
  private known = 0
  private keyAt = 0
  private valueAt = 0
  private name = ''
  /** Bytes of a key that reaches over windows. */
  private keyStart: Buffer | undefined

  /** Reads on. Throws JsonScanError; the scanner is then of no more use. */
  push(bytes: Uint8Array): void {
    this.utf8.push(bytes)
    if (bytes.byteLength <= WINDOW_BYTES) this.read(bytes)
    else for (let from = 0; from < bytes.byteLength; from += WINDOW_BYTES) this.read(bytes.subarray(from, from + WINDOW_BYTES))
  }

  /** The extents, when the body has ended. Throws JsonScanError. */
  finish(): TopLevel {
    const total = this.kept[OFFSET] ?? 0
    // White space ends a number and nothing else, and where anything more is needed it is as wrong as the end.
    if (this.kept[STATE] !== BODY_END) this.read(SPACE, total)
    const state = this.kept[STATE] ?? 0
    if (state !== BODY_END) this.fail(messages[state] ?? '', total)
    if (!this.utf8.finish()) throw new JsonScanError('the body is not valid UTF-8', 0)
    return this.fields
  }

  private read(bytes: Uint8Array, end?: number): void {
    const module = scannerModule()
    const { state, window } = module
    const from = this.kept[OFFSET] ?? 0
    for (let index = 0; index < STATE_WORDS; index += 1) state[index] = this.kept[index] ?? 0
    window.set(bytes)
    const error = module.scan(bytes.byteLength)
    const stoppedAt = state[STOPPED_AT] ?? 0
    this.note(module, bytes, from)
    if (error >= 0) this.fail(messages[error] ?? '', end === undefined ? stoppedAt : Math.min(stoppedAt, end))
    for (let index = 0; index < STATE_WORDS; index += 1) this.kept[index] = state[index] ?? 0
    if (this.known === 1) this.keepKey(bytes, from)
  }

  /** Takes the offsets that the module noted in this window. */
  private note({ state, marks }: ScannerModule, bytes: Uint8Array, from: number): void {
    const count = state[MARKS] ?? 0
    for (let index = 0; index < count; index += 1) {
      const offset = marks[index] ?? 0
      this.known += 1
      if (this.known === 1) this.keyAt = offset
      else if (this.known === 2) this.name = this.nameOf(bytes, from, offset)
      else if (this.known === 3) this.valueAt = offset
      else this.keep(offset)
    }
  }

  private keep(end: number): void {
    this.known = 0
    if (this.fields.has(this.name)) throw new JsonScanError(`the key ${JSON.stringify(this.name.slice(0, 40))} stands twice`, this.keyAt)
    this.fields.set(this.name, { start: this.valueAt, end })
  }

  private nameOf(bytes: Uint8Array, from: number, end: number): string {
    const start = this.keyAt
    if (end - start > MAX_KEY_BYTES) this.keyTooLong()
    if (this.keyStart === undefined) {
      const plain = plainText(bytes, start - from + 1, end - from - 1)
      if (plain !== undefined) return plain
    }
    const here = bytes.subarray(Math.max(0, start - from), end - from)
    const key = Buffer.concat(this.keyStart === undefined ? [here] : [this.keyStart, here])
    this.keyStart = undefined
    return JSON.parse(key.toString('utf8')) as string
  }

  private keepKey(bytes: Uint8Array, from: number): void {
    const rest = bytes.subarray(Math.max(0, this.keyAt - from))
    this.keyStart = this.keyStart === undefined ? Buffer.from(rest) : Buffer.concat([this.keyStart, rest])
    // A bad escape is reported where it begins, up to 6 bytes before the cut.
    if (this.keyStart.byteLength > MAX_KEY_BYTES + 8) this.keyTooLong()
  }

  /** A key that is too long is reported as such, whatever is wrong behind that: else the answer would hang on where the body was cut. */
  private fail(message: string, offset: number): never {
    if (this.known === 1 && offset - this.keyAt > MAX_KEY_BYTES) this.keyTooLong()
    throw new JsonScanError(message, offset)
  }

  private keyTooLong(): never {
    throw new JsonScanError(`a top-level key is longer than ${MAX_KEY_BYTES} bytes`, this.keyAt)
  }
}

const SPACE = Buffer.from(' ')
const BACKSLASH = 0x5c

/** Keys that were read before, by a hash of their bytes: the same few come for ever. */
const knownKeys = new Map<number, string>()
const MOST_KNOWN_KEYS = 512

/** Short ASCII without escapes, as nearly every key is; else undefined. Several times faster than a decoder on so few bytes. */
function plainText(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (end - start > 32) return undefined
  let hash = 0
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] ?? 0
    if (byte >= 0x80 || byte === BACKSLASH) return undefined
    hash = (Math.imul(hash, 31) + byte) | 0
  }
  const known = knownKeys.get(hash)
  if (known !== undefined && isText(known, bytes, start, end)) return known
  const text = String.fromCharCode(...bytes.subarray(start, end))
  if (knownKeys.size >= MOST_KNOWN_KEYS) knownKeys.clear()
  knownKeys.set(hash, text)
  return text
}

function isText(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false
  for (let at = start; at < end; at += 1) if (text.charCodeAt(at - start) !== bytes[at]) return false
  return true
}

/** Scans a body that is there as a whole. */
export function scanTopLevel(bytes: Uint8Array): TopLevel {
  const scanner = new BodyScanner()
  scanner.push(bytes)
  return scanner.finish()
}
