import { isUtf8 } from 'node:buffer'
import { DelimiterFinder } from './delimiter-finder.js'
import { boundaryOf, partNameOf } from './multipart-heads.js'
import { MultipartError } from './multipart-error.js'
import type { Extent, TopLevel } from './top-level.js'

/** What routing must know of a form. */
export interface MultipartScan {
  readonly model: string | undefined
  readonly stream: boolean
  /** Where the contents of the parts `model` and `stream` stand. */
  readonly fields: TopLevel
  /** What stands between parts, without the line break before it. */
  readonly delimiter: string
}

const MAX_PARTS = 256
const MAX_HEAD_BYTES = 8_192
/** A model's name, or `true`. */
const MAX_VALUE_BYTES = 1_024
const READ = new Set(['model', 'stream'])

/**
 * Reads the parts `model` and `stream` of a multipart/form-data body (RFC 7578, RFC 2046) and skips all others; boundaries are looked for while the body
 * arrives. Stricter than the RFCs where readers are known to disagree, because the engine reads the form again: no text before the first boundary or
 * behind the last, nothing behind a boundary on its line, no boundary inside a part, no name twice, no quotes behind backslashes, no transfer encodings.
 * Everything here throws MultipartError.
 */
export class MultipartScanner {
  private readonly delimiter: string
  private readonly finder: DelimiterFinder

  constructor(contentType: string) {
    this.delimiter = `--${boundaryOf(contentType)}`
    this.finder = new DelimiterFinder(this.delimiter)
  }

  push(bytes: Uint8Array): void {
    this.finder.push(bytes)
  }

  /** `body`: everything that was pushed, in one piece. */
  finish(body: Uint8Array): MultipartScan {
    const form: Form = {
      bytes: Buffer.from(body.buffer, body.byteOffset, body.byteLength),
      delimiter: this.delimiter,
      places: this.finder.places,
    }
    const fields = fieldsOf(form)
    return {
      model: textOf(form, fields.get('model')) || undefined,
      stream: flagOf(form, fields.get('stream')),
      fields,
      delimiter: this.delimiter,
    }
  }
}

/** Reads a form that is there as a whole. */
export function scanMultipart(contentType: string, body: Uint8Array): MultipartScan {
  const scanner = new MultipartScanner(contentType)
  scanner.push(body)
  return scanner.finish(body)
}

interface Form {
  readonly bytes: Buffer
  readonly delimiter: string
  /** Where the delimiter stands. */
  readonly places: readonly number[]
}

function fieldsOf(form: Form): TopLevel {
  const { bytes, delimiter, places } = form
  const fields = new Map<string, Extent>()
  if (places[0] !== 0) throw new MultipartError('the body must begin with the boundary', 0)
  let at = delimiter.length
  for (let parts = 0; !isLast(bytes, at); parts += 1) {
    if (parts === MAX_PARTS) throw new MultipartError(`more than ${MAX_PARTS} parts`, at)
    const part = readPart(form, at + 2)
    if (READ.has(part.name)) note(fields, part)
    at = part.end + 2 + delimiter.length
  }
  return fields
}

interface Part extends Extent {
  readonly name: string
  readonly isFile: boolean
}

/** True at the closing boundary, false at one that a part follows. */
function isLast(bytes: Buffer, at: number): boolean {
  if (startsWith(bytes, at, '\r\n')) return false
  if (!startsWith(bytes, at, '--')) throw new MultipartError('only a line break or -- may follow a boundary', at)
  const rest = bytes.byteLength - at - 2
  if (rest > 0 && !(rest === 2 && startsWith(bytes, at + 2, '\r\n')))
    throw new MultipartError('something follows the last boundary', at + 2)
  return true
}

function readPart({ bytes, delimiter, places }: Form, at: number): Part {
  const headBytes = bytes.subarray(at, at + MAX_HEAD_BYTES + 4).indexOf('\r\n\r\n', 0, 'latin1')
  if (headBytes === -1) throw new MultipartError(`the head of a part does not end within ${MAX_HEAD_BYTES} bytes`, at)
  const { name, isFile } = partNameOf(bytes.toString('latin1', at, at + headBytes), delimiter, at)
  const start = at + headBytes + 4
  const next = places.find((place) => place >= start)
  if (next === undefined) throw new MultipartError('the last boundary is missing', bytes.byteLength)
  if (next < start + 2 || !startsWith(bytes, next - 2, '\r\n')) throw new MultipartError('the boundary stands inside a part', next)
  return { name, isFile, start, end: next - 2 }
}

function note(fields: Map<string, Extent>, { name, isFile, start, end }: Part): void {
  if (fields.has(name)) throw new MultipartError(`the part ${name} stands twice`, start)
  if (isFile) throw new MultipartError(`the part ${name} must be a plain field, not a file`, start)
  if (end - start > MAX_VALUE_BYTES) throw new MultipartError(`the part ${name} is longer than ${MAX_VALUE_BYTES} bytes`, start)
  fields.set(name, { start, end })
}

/** The content of a plain field. */
function textOf({ bytes }: Form, extent: Extent | undefined): string {
  if (extent === undefined) return ''
  const value = bytes.subarray(extent.start, extent.end)
  const text = value.toString('utf8')
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (!isUtf8(value) || /[\u0000-\u001f\u007f]/.test(text))
    throw new MultipartError('a plain field holds bytes that are no text', extent.start)
  return text
}

function flagOf(form: Form, extent: Extent | undefined): boolean {
  const text = textOf(form, extent).toLowerCase()
  if (text === 'true' || text === '1') return true
  if (extent === undefined || text === 'false' || text === '0') return false
  throw new MultipartError('stream must be true or false', extent.start)
}

function startsWith(bytes: Buffer, at: number, text: string): boolean {
  return at + text.length <= bytes.byteLength && bytes.toString('latin1', at, at + text.length) === text
}
