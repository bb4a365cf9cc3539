import type { CollectedShape } from '../contracts/index.js'
import { scanTopLevel } from './body-scanner.js'
import { CollectedText } from './collected-text.js'
import { templateOf, type AnswerTemplate, type TemplatePart } from './answer-template.js'
import type { Extent } from './top-level.js'

const QUOTE = 0x22
const OPEN = 0x5b
const BACKSLASH = 0x5c
/** Events that say how a stream ended are short. */
const MAX_TAIL_BYTES = 4_096

/** What one plain content event had around its text. The next ones are equal but for the text. */
interface Frame {
  readonly before: Buffer
  readonly after: Buffer
}

/** A piece of JSON in an event: its bytes, and where they begin. */
interface Piece {
  readonly bytes: Buffer
  readonly at: number
}

/** Thrown for a chunk that the shape does not know. */
class UnknownChunk extends Error {}

/**
 * Builds the plain answer from the events of a stream: values are copied as the engine wrote them, so that no number is ever formatted anew. Anything that
 * the shape does not name makes the answer unknown; the request is then to be sent as it came.
 */
export class AnswerCollector {
  /** Why the answer cannot be rebuilt; undefined while it can. */
  unknown: string | undefined
  /** The text is longer than may be held. */
  tooLong = false
  /** The engine's own error object, where its stream brought one. */
  error: Buffer | undefined
  /** The last events that were no plain content; for the dialect's judgement of the stream's end. */
  tail = ''
  private readonly template: AnswerTemplate
  private readonly text: CollectedText
  private readonly textField: string
  private readonly values = new Map<string, string>()
  private frame: Frame | undefined

  constructor(
    private readonly shape: CollectedShape,
    maxBytes: number,
  ) {
    this.template = templateOf(shape.template)
    this.textField = shape.textAt === 'text' ? 'text' : 'delta'
    this.text = new CollectedText(maxBytes)
  }

  get hasText(): boolean {
    return this.text.byteLength > 0
  }

  get byteLength(): number {
    return this.text.byteLength
  }

  /** Reads one whole event. The bytes are needed during the call only. */
  event(bytes: Buffer): void {
    if (this.unknown !== undefined || this.error !== undefined || this.isPlain(bytes)) return
    try {
      const json = jsonOf(bytes)
      if (json === undefined || !this.chunk(bytes, json)) this.note(bytes)
    } catch (thrown) {
      this.unknown = thrown instanceof UnknownChunk ? thrown.message : 'an event is no JSON object'
    }
  }

  /** A piece of an event that is too long to be held. */
  piece(): void {
    this.unknown ??= 'an event is longer than 64 KiB'
  }

  /** The answer; undefined where something of it never came. */
  answer(): Buffer | undefined {
    if (this.unknown !== undefined) return undefined
    const missing = this.template.fields.filter((name) => !this.values.has(name))
    if (missing.length > 0 || !this.hasText) {
      this.unknown = missing.length > 0 ? `the stream never brought ${missing.join(', ')}` : undefined
      return undefined
    }
    return Buffer.concat(this.template.parts.map((part) => this.filled(part)))
  }

  private filled({ literal, field }: TemplatePart): Buffer {
    if (field === undefined) return literal
    return field === 'text' ? this.text.bytes() : Buffer.from(this.values.get(field) ?? '', 'latin1')
  }

  private isPlain(bytes: Buffer): boolean {
    const { frame } = this
    if (frame === undefined) return false
    const { before, after } = frame
    const end = bytes.byteLength - after.byteLength
    if (end < before.byteLength || !startsWith(bytes, before) || bytes.compare(after, 0, after.byteLength, end) !== 0) return false
    let at = before.byteLength
    while (at < end && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1
    if (at !== end) return false
    this.append(bytes, before.byteLength, end)
    return true
  }

  /** True when it brought text and nothing else that changes. */
  private chunk(event: Buffer, json: Piece): boolean {
    const fields = scanTopLevel(json.bytes)
    const error = fields.get('error')
    if (error !== undefined && latin1Of(json.bytes, error) !== 'null') {
      this.error = Buffer.from(json.bytes)
      return false
    }
    let isText = false
    for (const [name, extent] of fields) {
      const raw = latin1Of(json.bytes, extent)
      if (name === 'choices') isText = this.choices(event, inside(json, extent))
      else if (name === 'object') expectRaw(raw, JSON.stringify(this.shape.chunkObject), name)
      else if (this.template.fields.includes(name)) this.values.set(name, raw)
      else throw new UnknownChunk(`a chunk has the field ${name}`)
    }
    return isText
  }

  private choices(event: Buffer, list: Piece): boolean {
    const { bytes } = list
    if (bytes[0] !== OPEN) throw new UnknownChunk('choices is no list')
    const choice = inside(list, { start: 1, end: bytes.byteLength - 1 })
    if (choice.bytes.toString('latin1', 0, 8).trim() === '') return false
    let content: Piece | undefined
    let finished = false
    for (const [name, extent] of scanTopLevel(choice.bytes)) {
      const raw = latin1Of(choice.bytes, extent)
      if (name === 'index') expectRaw(raw, '0', name)
      else if (name === 'logprobs') expectRaw(raw, 'null', name)
      else if (name === 'finish_reason') finished = this.finish(raw)
      else if (name === this.textField) content = this.shape.textAt === 'text' ? inside(choice, extent) : deltaText(inside(choice, extent))
      else throw new UnknownChunk(`a choice has the field ${name}`)
    }
    return content !== undefined && this.content(event, content, finished)
  }

  private finish(raw: string): boolean {
    if (raw === 'null') return false
    this.values.set('finish_reason', raw)
    return true
  }

  private content(event: Buffer, { bytes, at }: Piece, finished: boolean): boolean {
    if (bytes[0] !== QUOTE) throw new UnknownChunk('the text is no text')
    const length = bytes.byteLength - 2
    this.append(bytes, 1, 1 + length)
    if (finished || length === 0) return false
    const start = at + 1
    this.frame = { before: Buffer.from(event.subarray(0, start)), after: Buffer.from(event.subarray(start + length)) }
    return true
  }

  private append(bytes: Buffer, start: number, end: number): void {
    this.tooLong ||= !this.text.append(bytes, start, end)
  }

  private note(event: Buffer): void {
    this.tail = `${this.tail}${event.toString('utf8', 0, MAX_TAIL_BYTES / 2)}`.slice(-MAX_TAIL_BYTES)
  }
}

/** A delta brings the role and text, or nothing; anything more is not known. */
function deltaText(delta: Piece): Piece | undefined {
  let content: Piece | undefined
  for (const [name, extent] of scanTopLevel(delta.bytes)) {
    const raw = latin1Of(delta.bytes, extent)
    if (name === 'role') expectRaw(raw, '"assistant"', name)
    else if (name !== 'content') throw new UnknownChunk(`a delta has the field ${name}`)
    else if (raw !== 'null') content = inside(delta, extent)
  }
  return content
}

/** The JSON of an event of one data line; undefined for comments, the end mark and lines that are none of ours. */
function jsonOf(event: Buffer): Piece | undefined {
  if (!startsWith(event, DATA)) return undefined
  const at = event[DATA.byteLength] === SPACE ? DATA.byteLength + 1 : DATA.byteLength
  const lineEnd = event.indexOf(LF, at)
  const end = lineEnd === -1 ? event.byteLength : lineEnd
  if (event.toString('latin1', end).trim() !== '') throw new UnknownChunk('an event has more than one line')
  return event[at] === OPEN ? undefined : { bytes: event.subarray(at, end), at }
}

const DATA = Buffer.from('data:')
const SPACE = 0x20
const LF = 0x0a

function inside(piece: Piece, { start, end }: Extent): Piece {
  return { bytes: piece.bytes.subarray(start, end), at: piece.at + start }
}

function latin1Of(bytes: Buffer, { start, end }: Extent): string {
  return bytes.toString('latin1', start, end)
}

function startsWith(bytes: Buffer, prefix: Buffer): boolean {
  return bytes.byteLength >= prefix.byteLength && bytes.compare(prefix, 0, prefix.byteLength, 0, prefix.byteLength) === 0
}

function expectRaw(raw: string, wanted: string, name: string): void {
  if (raw !== wanted) throw new UnknownChunk(`${name} is ${raw.slice(0, 40)}`)
}
