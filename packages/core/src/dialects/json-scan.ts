import { isUtf8 } from 'node:buffer'

/** Byte extent of one value: [start, end). */
export interface Extent {
  readonly start: number
  readonly end: number
}

/** A JSON object read once, without building it: where each top-level value stands. */
export type TopLevel = ReadonlyMap<string, Extent>

/** What is wrong with a body, and at which byte. */
export class JsonScanError extends Error {
  constructor(
    message: string,
    readonly offset: number,
  ) {
    super(message)
    this.name = 'JsonScanError'
  }
}

/** Deeper nesting makes V8's parser slow and no request needs it: design/data-path.md, the body. */
const MAX_DEPTH = 64

/**
 * Checks a body against the whole grammar of RFC 8259 and notes the extents of its top-level values. Throws JsonScanError for anything else than an
 * object, for invalid UTF-8, for nesting over 64, and for a top-level key that stands twice (two readers could disagree about it).
 */
export function scanTopLevel(bytes: Uint8Array): TopLevel {
  if (!isUtf8(bytes)) throw new JsonScanError('the body is not valid UTF-8', 0)
  const scanner = new Scanner(bytes)
  return scanner.document()
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const ESCAPES = new Set(Buffer.from('"\\/bfnrt'))
const WORDS: Readonly<Record<number, string>> = { 0x74: 'true', 0x66: 'false', 0x6e: 'null' }

class Scanner {
  private at = 0

  constructor(private readonly bytes: Uint8Array) {}

  document(): TopLevel {
    this.space()
    if (this.bytes[this.at] !== OPEN_OBJECT) this.fail('the body must be a JSON object')
    const fields = new Map<string, Extent>()
    this.object(1, fields)
    this.space()
    if (this.at < this.bytes.length) this.fail('something follows the JSON object')
    return fields
  }

  private value(depth: number): void {
    const byte = this.bytes[this.at]
    if (byte === QUOTE) this.string()
    else if (byte === OPEN_OBJECT) this.object(depth + 1)
    else if (byte === OPEN_ARRAY) this.array(depth + 1)
    else if (byte !== undefined && WORDS[byte] !== undefined) this.word(WORDS[byte])
    else this.number()
  }

  private object(depth: number, fields?: Map<string, Extent>): void {
    if (depth > MAX_DEPTH) this.fail(`nested deeper than ${MAX_DEPTH}`)
    this.at += 1
    this.space()
    if (this.take(CLOSE_OBJECT)) return
    for (;;) {
      const keyStart = this.at
      if (this.bytes[this.at] !== QUOTE) this.fail('a key in double quotes is expected')
      this.string()
      const keyEnd = this.at
      this.space()
      this.expect(COLON, 'a colon is expected')
      this.space()
      const start = this.at
      this.value(depth)
      if (fields !== undefined) this.note(fields, { start: keyStart, end: keyEnd }, { start, end: this.at })
      this.space()
      if (this.take(CLOSE_OBJECT)) return
      this.expect(COMMA, 'a comma or } is expected')
      this.space()
    }
  }

  private array(depth: number): void {
    if (depth > MAX_DEPTH) this.fail(`nested deeper than ${MAX_DEPTH}`)
    this.at += 1
    this.space()
    if (this.take(CLOSE_ARRAY)) return
    for (;;) {
      this.value(depth)
      this.space()
      if (this.take(CLOSE_ARRAY)) return
      this.expect(COMMA, 'a comma or ] is expected')
      this.space()
    }
  }

  private note(fields: Map<string, Extent>, key: Extent, value: Extent): void {
    const name = JSON.parse(Buffer.from(this.bytes.subarray(key.start, key.end)).toString('utf8')) as string
    if (fields.has(name)) {
      this.at = key.start
      this.fail(`the key ${JSON.stringify(name.slice(0, 40))} stands twice`)
    }
    fields.set(name, value)
  }

  private string(): void {
    this.at += 1
    for (;;) {
      const byte = this.bytes[this.at]
      if (byte === undefined) this.fail('a string does not end')
      if (byte === QUOTE) break
      if (byte === BACKSLASH) this.escape()
      else if (byte !== undefined && byte < 0x20) this.fail('a control character stands in a string')
      else this.at += 1
    }
    this.at += 1
  }

  private escape(): void {
    const byte = this.bytes[this.at + 1] ?? 0
    if (byte === 0x75) {
      for (let index = 2; index < 6; index += 1) if (!isHex(this.bytes[this.at + index])) this.fail('a bad \\u escape')
      this.at += 6
    } else if (ESCAPES.has(byte)) this.at += 2
    else this.fail('a bad escape')
  }

  private word(word: string): void {
    for (let index = 0; index < word.length; index += 1)
      if (this.bytes[this.at + index] !== word.charCodeAt(index)) this.fail('a value is expected')
    this.at += word.length
  }

  private number(): void {
    this.take(0x2d)
    if (!this.take(0x30)) this.digits()
    if (this.take(0x2e)) this.digits()
    if (this.take(0x65) || this.take(0x45)) {
      if (!this.take(0x2b)) this.take(0x2d)
      this.digits()
    }
  }

  private digits(): void {
    const start = this.at
    while (isDigit(this.bytes[this.at])) this.at += 1
    if (this.at === start) this.fail('a value is expected')
  }

  private space(): void {
    for (;;) {
      const byte = this.bytes[this.at]
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return
      this.at += 1
    }
  }

  private take(byte: number): boolean {
    if (this.bytes[this.at] !== byte) return false
    this.at += 1
    return true
  }

  private expect(byte: number, message: string): void {
    if (!this.take(byte)) this.fail(message)
  }

  private fail(message: string): never {
    throw new JsonScanError(message, this.at)
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39
}

function isHex(byte: number | undefined): boolean {
  return byte !== undefined && (isDigit(byte) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66))
}
