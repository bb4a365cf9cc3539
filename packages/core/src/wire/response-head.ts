import type { HeaderView } from '../contracts/index.js'
import { allowedResponseHeaders, isHeaderName, isHeaderValue } from './header-rules.js'
import { UpstreamError } from './upstream-error.js'

export interface ResponseHead {
  readonly status: number
  readonly headers: HeaderView
  /** Those that a client may see; the same object for the same head. */
  readonly passed: HeaderView
}

/** How the body of a response is delimited: RFC 9112 section 6.3. */
export type BodyFraming =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'until-close' }

export interface ParsedHead {
  readonly head: ResponseHead
  readonly framing: BodyFraming
  readonly keepAlive: boolean
}

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?$/

/** The heads of an engine's streams differ by their date at most: one that was read once is known. */
const knownHeads = new Map<string, ParsedHead>()
const MOST_KNOWN_HEADS = 128
const MAX_KNOWN_HEAD = 1_024

/** Parses a whole head (without its last empty line). Anything odd throws a framing error: guessing is how responses get mixed up. */
export function parseResponseHead(text: string): ParsedHead {
  const known = knownHeads.get(text)
  if (known !== undefined) return known
  const parsed = parse(text)
  if (text.length > MAX_KNOWN_HEAD) return parsed
  if (knownHeads.size >= MOST_KNOWN_HEADS) knownHeads.clear()
  knownHeads.set(text, parsed)
  return parsed
}

function parse(text: string): ParsedHead {
  const [statusLine = '', ...lines] = text.split('\r\n')
  const match = STATUS_LINE.exec(statusLine)
  if (match === null) throw bad('a bad status line', statusLine)
  const headers = parseHeaders(lines)
  const status = Number(match[2])
  // HTTP/1.0 has none: what follows could be taken for its body, or for the answer.
  if (status < 200 && match[1] === '0') throw bad('an interim answer in HTTP/1.0', statusLine)
  return {
    head: { status, headers, passed: allowedResponseHeaders(headers) },
    framing: framingOf(status, headers),
    keepAlive: keepsAlive(match[1] === '1', headers),
  }
}

function parseHeaders(lines: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const { name, value } = headerOf(line)
    if (name === 'content-length' && headers[name] !== undefined) throw bad('two Content-Length headers')
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`
  }
  return headers
}

interface HeaderLine {
  readonly name: string
  readonly value: string
}

/** An engine repeats the same few lines in every answer; a line that was read once is known. */
const knownLines = new Map<string, HeaderLine>()
const MOST_KNOWN_LINES = 256
const MAX_KNOWN_LINE = 128

function headerOf(line: string): HeaderLine {
  const known = knownLines.get(line)
  if (known !== undefined) return known
  const colon = line.indexOf(':')
  const name = line.slice(0, Math.max(0, colon)).toLowerCase()
  const value = line.slice(colon + 1).replace(/^[\t ]+|[\t ]+$/g, '')
  if (!isHeaderName(name) || !isHeaderValue(value)) throw bad('a bad header line', line)
  const header = { name, value }
  if (line.length <= MAX_KNOWN_LINE) {
    if (knownLines.size >= MOST_KNOWN_LINES) knownLines.clear()
    knownLines.set(line, header)
  }
  return header
}

function framingOf(status: number, headers: HeaderView): BodyFraming {
  const encoding = headers['transfer-encoding']
  const length = headers['content-length']
  if (encoding !== undefined && length !== undefined) throw bad('both Transfer-Encoding and Content-Length')
  if (length !== undefined && !/^\d{1,15}$/.test(length)) throw bad('a bad Content-Length', length)
  if (encoding !== undefined && encoding.toLowerCase() !== 'chunked') throw bad('an unknown Transfer-Encoding', encoding)
  if (encoding !== undefined && (status < 200 || status === 204)) throw bad('a Transfer-Encoding where no body is')
  if (status < 200 || status === 204 || status === 304) return { kind: 'none' }
  if (encoding !== undefined) return { kind: 'chunked' }
  return length === undefined ? { kind: 'until-close' } : { kind: 'length', bytes: Number(length) }
}

function keepsAlive(http11: boolean, headers: HeaderView): boolean {
  const connection = (headers['connection'] ?? '').toLowerCase()
  return http11 ? !connection.includes('close') : connection.includes('keep-alive')
}

const MAX_SAID = 60

function bad(why: string, said = ''): UpstreamError {
  return new UpstreamError('framing', `the engine's answer is not HTTP/1.1: ${why}`, said.slice(0, MAX_SAID))
}
