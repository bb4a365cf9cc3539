import type { HeaderView } from '../contracts/index.js'
import type { ExchangeHead } from './exchange.js'
import { connectionOptions } from './header-rules.js'
import type { HeadSpans } from './llhttp.js'

/** One request's head, and what it means for the connection. */
export interface RequestHead {
  readonly head: ExchangeHead
  readonly http11: boolean
  readonly keepAlive: boolean
  /** Bytes of the body, or `chunked`. */
  readonly body: number | 'chunked'
  /** The client waits for 100 Continue. */
  readonly expectsContinue: boolean
}

/** Why a head is refused; the connection is closed after the answer. */
export interface HeadRefusal {
  readonly status: 400 | 408 | 417 | 431 | 501 | 503 | 505
  readonly code: string
  readonly message: string
}

const METHOD = /^[A-Z-]+$/
/** Origin form without a fragment: RFC 9112 section 3.2.1. */
const TARGET = /^\/[\x21\x22\x24-\x7e]*$/
/** uri-host [":" port], RFC 9110 section 7.2; no user info, no list. */
const HOST = /^(?:[A-Za-z0-9._~!$&'()*+;=%-]+|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?$/
const BAD_TARGET = 'the request target must be a path (origin-form, visible ASCII)'
const LENGTH = /^\d{1,15}$/

const lowered = new Map<string, string>()
const MOST_LOWERED = 512

/** The rules that stand behind llhttp's own: what it lets pass and two readers could take differently is refused here. */
export function readRequestHead(text: string, spans: HeadSpans): RequestHead | HeadRefusal {
  if (spans.upgrade)
    return { status: 501, code: 'LB_NO_UPGRADE', message: 'lb speaks plain HTTP/1.1: no CONNECT, no Upgrade, no WebSocket' }
  const method = text.slice(0, spans.urlStart - 1)
  if (!METHOD.test(method) || !text.startsWith(' HTTP/', spans.urlEnd))
    return bad('the request line must be a method, a space, a target, a space and HTTP/1.1')
  const target = text.slice(spans.urlStart, spans.urlEnd)
  if (!TARGET.test(target)) return bad(BAD_TARGET)
  const headers: Record<string, string> = {}
  const { offsets } = spans
  for (let index = 0; index < spans.count; index += 1) {
    const base = index * 4
    const name = lowerCase(text.slice(offsets[base], offsets[base + 1]))
    const refusal = addHeader(headers, name, trimEnd(text, offsets[base + 2] ?? 0, offsets[base + 3] ?? 0))
    if (refusal !== undefined) return refusal
  }
  return frameRequest(headOf(method, target, headers), spans.minor === 1)
}

/** Adds one header line; repeated ones are joined, but for those that two readers could take differently. */
export function addHeader(headers: Record<string, string>, name: string, value: string): HeadRefusal | undefined {
  const known = headers[name]
  if (known === undefined) headers[name] = value
  else if (name === 'host' || name === 'content-length' || name === 'transfer-encoding') return bad(`two ${name} headers`)
  else headers[name] = `${known}, ${value}`
  return undefined
}

/** Splits the target at its query. */
export function headOf(method: string, target: string, headers: HeaderView): ExchangeHead {
  const mark = target.indexOf('?')
  return {
    method,
    path: mark === -1 ? target : target.slice(0, mark),
    query: mark === -1 ? '' : target.slice(mark + 1),
    headers,
  }
}

/** What a head means for the connection; the same rules at every door. */
export function frameRequest(head: ExchangeHead, http11: boolean): RequestHead | HeadRefusal {
  const { headers } = head
  const { host } = headers
  if (host === undefined ? http11 : !HOST.test(host))
    return bad(host === undefined ? 'the Host header is missing' : 'the Host header is not a host')
  const encoding = headers['transfer-encoding']
  const length = headers['content-length']
  if (encoding !== undefined && (!http11 || length !== undefined || encoding.toLowerCase() !== 'chunked'))
    return bad('the only Transfer-Encoding taken is `chunked`, on HTTP/1.1, without Content-Length')
  if (length !== undefined && !LENGTH.test(length)) return bad('a bad Content-Length')
  const expect = headers['expect']
  if (expect !== undefined && expect.toLowerCase() !== '100-continue')
    return { status: 417, code: 'LB_BAD_REQUEST', message: 'the only expectation met here is 100-continue' }
  const connection = headers['connection']
  return {
    head,
    http11,
    keepAlive: connection === undefined ? http11 : keepsAlive(connection, http11),
    body: encoding === undefined ? Number(length ?? 0) : 'chunked',
    expectsContinue: expect !== undefined && http11,
  }
}

function keepsAlive(connection: string, http11: boolean): boolean {
  const options = connectionOptions(connection)
  return !options.includes('close') && (http11 || options.includes('keep-alive'))
}

/** Clients send the same few names for ever; making them lower-case once saves most of the work. */
function lowerCase(name: string): string {
  const known = lowered.get(name)
  if (known !== undefined) return known
  if (lowered.size >= MOST_LOWERED) lowered.clear()
  const lower = name.toLowerCase()
  lowered.set(name, lower)
  return lower
}

function trimEnd(text: string, start: number, end: number): string {
  let last = end
  while (last > start && (text.charCodeAt(last - 1) === 0x20 || text.charCodeAt(last - 1) === 0x09)) last -= 1
  return text.slice(start, last)
}

function bad(message: string): HeadRefusal {
  return { status: 400, code: 'LB_BAD_REQUEST', message }
}

export function isRefusal(value: RequestHead | HeadRefusal): value is HeadRefusal {
  return 'status' in value
}
