/**
 * RFC 9112, read by a second pair of eyes: shares no line with the balancer. Takes what the RFC lets a sender write and nothing else, so that a
 * message either has one meaning or is an error. Slow and plain on purpose.
 */
export interface Field {
  readonly name: string
  readonly value: string
}

export interface Message {
  readonly startLine: string
  readonly fields: readonly Field[]
  readonly body: Buffer
  /** Bytes of the whole message. */
  readonly bytes: number
}

/** `more`: the bytes end inside a message that is right so far. */
export type Reading = Message | { readonly error: string } | 'more'

// node:http reads RTSP/1.0 as HTTP/1.0 and does not tell; the framing is the same.
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const REQUEST_LINE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+ +[\x21-\x7e\x80-\xff]+ +(?:HTTP\/1\.[01]|RTSP\/1\.0)$/
const STATUS_LINE = /^HTTP\/1\.[01] [1-5][0-9][0-9](?: [\t\x20-\x7e\x80-\xff]*)?$/
const CHUNK_LINE = /^0*([0-9a-fA-F]{1,12})(?:[\t ]*;[\t\x20-\x7e\x80-\xff]*)?$/

/** One request at the front of the bytes; line ends before it are counted in (section 2.2), spaces in its first line may be several (section 3). */
export function readRequest(bytes: Buffer): Reading {
  let skipped = 0
  while (bytes[skipped] === 10 || bytes[skipped] === 13) skipped += 1
  const head = readHead(bytes.subarray(skipped), REQUEST_LINE)
  if (head === 'more' || 'error' in head) return head
  const framing = requestFraming(head)
  if (typeof framing !== 'number' && framing !== 'chunked') return framing
  return withBody(head, framing, bytes.subarray(skipped), skipped)
}

/** One response; `closed` tells whether the peer has ended the connection, `toHead` that it answers a HEAD request. */
export function readResponse(bytes: Buffer, closed: boolean, toHead = false): Reading {
  const head = readHead(bytes, STATUS_LINE)
  if (head === 'more' || 'error' in head) return head
  const status = Number(head.startLine.slice(9, 12))
  const framing = responseFraming(head, status)
  if (typeof framing === 'object') return framing
  if (toHead || status < 200 || status === 204 || status === 304) return withBody(head, 0, bytes, 0)
  if (framing !== 'close') return withBody(head, framing, bytes, 0)
  return closed ? { ...head, body: bytes.subarray(head.bytes), bytes: bytes.byteLength } : 'more'
}

interface Head {
  readonly startLine: string
  readonly fields: readonly Field[]
  readonly bytes: number
}

function readHead(bytes: Buffer, startLine: RegExp): Head | { readonly error: string } | 'more' {
  const end = bytes.indexOf('\r\n\r\n')
  const text = bytes.toString('latin1', 0, end === -1 ? bytes.byteLength : end)
  const lines = text.split('\r\n')
  if (/[\r\n]/.test(lines.slice(0, end === -1 ? -1 : undefined).join(''))) return { error: 'a bare CR or LF in the head' }
  if (end === -1) return 'more'
  const [first = '', ...rest] = lines
  if (!startLine.test(first)) return { error: `bad start line ${JSON.stringify(first.slice(0, 80))}` }
  const fields = readFields(rest)
  return Array.isArray(fields) ? { startLine: first, fields, bytes: end + 4 } : { error: fields }
}

function readFields(lines: readonly string[]): Field[] | string {
  const fields: Field[] = []
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(0, colon))
    const value = line.slice(colon + 1).replace(/^[\t ]+|[\t ]+$/g, '')
    if (!TOKEN.test(name) || !isFieldValue(value)) return `bad field line ${JSON.stringify(line.slice(0, 80))}`
    fields.push({ name: name.toLowerCase(), value })
  }
  return fields
}

function isFieldValue(value: string): boolean {
  for (let at = 0; at < value.length; at += 1) {
    const code = value.charCodeAt(at)
    if ((code < 0x20 && code !== 9) || code === 0x7f) return false
  }
  return true
}

/** All values of a name. */
export function valuesOf(message: { readonly fields: readonly Field[] }, name: string): string[] {
  return message.fields.filter((field) => field.name === name).map((field) => field.value)
}

/** Section 6.3 for requests; what it calls an error or leaves to the reader is an error here. */
function requestFraming(head: Head): number | 'chunked' | { readonly error: string } {
  const encodings = valuesOf(head, 'transfer-encoding')
  const lengths = valuesOf(head, 'content-length')
  if (encodings.length > 0 && !head.startLine.endsWith('HTTP/1.1')) return { error: 'Transfer-Encoding before HTTP/1.1 (section 6.1)' }
  return bodyFraming(encodings, lengths) ?? 0
}

function responseFraming(head: Head, status: number): number | 'chunked' | 'close' | { readonly error: string } {
  const encodings = valuesOf(head, 'transfer-encoding')
  if (encodings.length > 0 && (status < 200 || status === 204)) return { error: `Transfer-Encoding in a ${status} (section 6.1)` }
  return bodyFraming(encodings, valuesOf(head, 'content-length')) ?? 'close'
}

function bodyFraming(encodings: string[], lengths: string[]): number | 'chunked' | { readonly error: string } | undefined {
  if (encodings.length > 0 && lengths.length > 0) return { error: 'Transfer-Encoding and Content-Length (section 6.1)' }
  if (encodings.length > 1 || (encodings[0] ?? 'chunked').toLowerCase() !== 'chunked')
    return { error: 'a Transfer-Encoding besides chunked' }
  if (encodings.length === 1) return 'chunked'
  if (lengths.length > 1 || !/^[0-9]{1,15}$/.test(lengths[0] ?? '0')) return { error: 'a bad or repeated Content-Length (section 6.3)' }
  return lengths[0] === undefined ? undefined : Number(lengths[0])
}

function withBody(head: Head, framing: number | 'chunked', all: Buffer, skipped: number): Reading {
  if (framing === 'chunked') return readChunks(head, all, skipped)
  const end = head.bytes + framing
  return all.byteLength < end ? 'more' : { ...head, body: all.subarray(head.bytes, end), bytes: skipped + end }
}

/** Section 7.1. */
function readChunks(head: Head, all: Buffer, skipped: number): Reading {
  const parts: Buffer[] = []
  let at = head.bytes
  for (;;) {
    const line = readLine(all, at)
    if (line === undefined) return 'more'
    if (typeof line !== 'string') return line
    const size = CHUNK_LINE.exec(line)?.[1]
    if (size === undefined) return { error: `bad chunk line ${JSON.stringify(line.slice(0, 40))}` }
    at += line.length + 2
    const bytes = Number.parseInt(size, 16)
    if (bytes === 0) break
    if (all.byteLength < at + bytes + 2) {
      const beyond = all.subarray(at + bytes)
      return beyond.byteLength > 0 && beyond[0] !== 13 ? { error: 'a chunk is not ended by CRLF' } : 'more'
    }
    if (all[at + bytes] !== 13 || all[at + bytes + 1] !== 10) return { error: 'a chunk is not ended by CRLF' }
    parts.push(all.subarray(at, at + bytes))
    at += bytes + 2
  }
  const end = readTrailers(all, at)
  return typeof end === 'number' ? { ...head, body: Buffer.concat(parts), bytes: skipped + end } : end
}

function readTrailers(all: Buffer, from: number): number | { readonly error: string } | 'more' {
  const lines: string[] = []
  for (let at = from; ;) {
    const line = readLine(all, at)
    if (line === undefined) return 'more'
    if (typeof line !== 'string') return line
    at += line.length + 2
    if (line === '') {
      const fields = readFields(lines)
      return Array.isArray(fields) ? at : { error: `trailer: ${fields}` }
    }
    lines.push(line)
  }
}

/** One line without its CRLF; undefined: it has not ended. */
function readLine(all: Buffer, at: number): string | { readonly error: string } | undefined {
  const end = all.indexOf(10, at)
  if (end === -1) return undefined
  const line = all.toString('latin1', at, end)
  return line.endsWith('\r') && !line.slice(0, -1).includes('\r') ? line.slice(0, -1) : { error: 'a bare CR or LF in the framing' }
}
