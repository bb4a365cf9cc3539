import type { AnswerQuality } from '../contracts/index.js'
import { CollectedText } from './collected-text.js'
import { isJson, isRepeating } from './repeats.js'
import { field, type RequestScan } from './request-scan.js'
import type { StreamEvent } from './stream-event.js'

/** Of one answer; what comes behind is counted, and not looked at. */
const MOST_BYTES = 262_144
/** Where an answer thinks aloud in its text, what it says stands behind. */
const THOUGHTS = /^\s*<think>[^]*<\/think>/
const NOTHING = Buffer.alloc(0)
/** Of a beginning, in JSON's form. */
const MOST_OPENING_BYTES = 1_024
/** Where a JSON string was cut off. */
const HALF_ESCAPE = /(?<!\\)(?:\\\\)*\\(?:u[\da-f]{0,3})?$/i
/** What a piece of a call takes besides its text. */
const CALL_BYTES = 16

/** Looks at the text of one answer on its way: of a stream event by event, of a plain body piece by piece. */
export class AnswerWatch {
  private readonly text = new CollectedText(MOST_BYTES)
  private readonly body = new CollectedText(MOST_BYTES)
  private overBytes = 0
  /** Thoughts, a refusal, what could not be read. */
  private hasOther = false
  /** Arguments of each call of a tool, as far as they came. */
  private readonly calls = new Map<number, string>()
  private callBytes = 0
  private finish: string | undefined

  private constructor(
    private readonly isStream: boolean,
    private readonly wantsJson: boolean,
  ) {}

  /** Undefined where the answer is none of text. */
  static of(scan: RequestScan, isStream: boolean): AnswerWatch | undefined {
    const isText = scan.face === 'openai-chat' || scan.face === 'openai-completions'
    return isText ? new AnswerWatch(isStream, asksForJson(scan)) : undefined
  }

  /** The inside of a JSON string, [start, end) of `bytes`: text of a stream. */
  append(bytes: Buffer, start: number, end: number): void {
    if (this.overBytes > 0 || !this.text.append(bytes, start, end)) this.overBytes += end - start
  }

  /** A whole event of a stream. */
  event({ kind, text, fields, finish }: StreamEvent): void {
    this.finish = finish ?? this.finish
    if (kind !== 'content') return
    if (text !== undefined) this.appendText(text)
    else if (fields === undefined) this.hasOther = true
    else this.choices(fields['choices'], 'delta')
  }

  /** A piece of an event that is too long to be read. */
  piece(): void {
    this.hasOther = true
  }

  /** A piece of a plain body. */
  plain(bytes: Buffer): void {
    if (this.overBytes > 0 || !this.body.append(bytes, 0, bytes.byteLength)) this.overBytes += bytes.byteLength
  }

  private judged: AnswerQuality | undefined

  /** Of the whole answer; asked for at its end. */
  quality(): AnswerQuality {
    return (this.judged ??= this.judge())
  }

  private judge(): AnswerQuality {
    const text = this.content()
    if (text === undefined)
      return { chars: this.text.byteLength + this.body.byteLength + this.overBytes, isEmpty: false, isRepeating: false }
    const isEmpty = text.trim() === '' && !this.hasOther && this.calls.size === 0
    const isMalformed = this.isMalformed(text)
    const quality = { chars: text.length + this.overBytes, isEmpty, isRepeating: isRepeating(text) }
    return isMalformed === undefined ? quality : { ...quality, isMalformed }
  }

  /** The text, as far as it is kept; undefined where it cannot be read. */
  content(): string | undefined {
    if (!this.isStream && !this.readBody()) return undefined
    return parsed(this.text.bytes().toString('utf8'))
  }

  /** How the text of the first choice begins, as far as it has come; undefined: it begins with something else, or cannot be read. */
  opening(): string | undefined {
    if (this.hasOther || this.calls.size > 0) return undefined
    const bytes = this.text.bytes()
    if (bytes.byteLength <= MOST_OPENING_BYTES) return this.content()
    return parsed(bytes.toString('utf8', 0, MOST_OPENING_BYTES).replace(HALF_ESCAPE, ''))
  }

  /** There is more than is kept. */
  get isCut(): boolean {
    return this.overBytes > 0
  }

  /** Undefined where nothing was asked for that can be malformed, or the client's own limit cut it off. */
  private isMalformed(text: string): boolean | undefined {
    if (this.finish === 'length' || this.isCut) return undefined
    if (this.calls.size > 0) return [...this.calls.values()].some((call) => call.trim() !== '' && !isJson(call))
    return this.wantsJson ? !isJson(text.replace(THOUGHTS, '').trim()) : undefined
  }

  private hasRead = false

  /** Once, at the end. */
  private readBody(): boolean {
    if (this.isCut) return false
    if (this.hasRead) return true
    this.hasRead = true
    try {
      const answer: unknown = JSON.parse(this.body.bytes().toString('utf8'))
      this.choices(fieldOf(answer, 'choices'), 'message')
    } catch {
      // No JSON is no answer: it stays empty.
    }
    return true
  }

  private choices(choices: unknown, key: 'delta' | 'message'): void {
    if (!Array.isArray(choices)) return
    for (const [place, choice] of choices.entries()) {
      const finish = fieldOf(choice, 'finish_reason')
      if (typeof finish === 'string') this.finish = finish
      const index = fieldOf(choice, 'index')
      const isFirst = (typeof index === 'number' ? index : place) === 0
      const text = fieldOf(choice, 'text')
      if (typeof text === 'string') this.said(text, isFirst)
      const message = fieldOf(choice, key)
      if (typeof message === 'object' && message !== null)
        for (const [name, value] of Object.entries(message)) this.part(name, value, isFirst)
    }
  }

  private part(name: string, value: unknown, isFirst: boolean): void {
    if (name === 'role' || value === null || value === '' || (Array.isArray(value) && value.length === 0)) return
    if (name === 'content' && typeof value === 'string') this.said(value, isFirst)
    else if (name === 'tool_calls' && Array.isArray(value)) for (const [place, call] of value.entries()) this.call(call, place)
    else if (name === 'function_call') this.call({ function: value }, 0)
    else this.hasOther = true
  }

  /** Several choices say several things: the first is looked at. */
  private said(text: string, isFirst: boolean): void {
    if (isFirst) this.appendText(text)
    else this.hasOther ||= text !== ''
  }

  private call(call: unknown, place: number): void {
    const index = fieldOf(call, 'index')
    const at = typeof index === 'number' ? index : place
    const args = fieldOf(fieldOf(call, 'function'), 'arguments')
    const text = typeof args === 'string' ? args : args === undefined || args === null ? '' : JSON.stringify(args)
    this.callBytes += text.length + CALL_BYTES
    if (this.callBytes > MOST_BYTES) this.overBytes += text.length
    else this.calls.set(at, (this.calls.get(at) ?? '') + text)
  }

  private appendText(text: string): void {
    const bytes = text === '' ? NOTHING : Buffer.from(JSON.stringify(text))
    if (bytes !== NOTHING) this.append(bytes, 1, bytes.byteLength - 1)
  }
}

/** The inside of a JSON string; undefined where it is none. */
function parsed(inside: string): string | undefined {
  try {
    return JSON.parse(`"${inside}"`) as string
  } catch {
    return undefined
  }
}

function asksForJson({ body, fields }: RequestScan): boolean {
  const type = fieldOf(field(body, fields, 'response_format'), 'type')
  return type === 'json_object' || type === 'json_schema'
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
}
