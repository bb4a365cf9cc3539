import type { HeaderView } from '../contracts/index.js'

/** RFC 9110 section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** RFC 9110 section 5.5, without the obsolete line folding: visible characters, spaces and tabs. */
// oxlint-disable-next-line no-control-regex -- tab is allowed in a field value
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

/** Names that were found good: the same few come for ever. */
const goodNames = new Set<string>()
const MOST_GOOD_NAMES = 512

export function isHeaderName(name: string): boolean {
  if (goodNames.has(name)) return true
  if (!TOKEN.test(name)) return false
  if (goodNames.size >= MOST_GOOD_NAMES) goodNames.clear()
  goodNames.add(name)
  return true
}

export function isHeaderValue(value: string): boolean {
  return VALUE.test(value)
}

/** Headers of a client that an engine may see; everything else (keys, cookies, Host, forwarding, hop-by-hop) stays here. */
const REQUEST_ALLOWED = new Set(['content-type', 'accept', 'user-agent', 'traceparent', 'tracestate', 'baggage', 'x-session-id'])
const REQUEST_PREFIXES = ['openai-', 'anthropic-', 'x-stainless-']

/** Headers of an engine that a client may see. */
const RESPONSE_ALLOWED = new Set([
  'content-type',
  'cache-control',
  'retry-after',
  'x-accel-buffering',
  'system-fingerprint',
  'endpoint-load-metrics',
])
const RESPONSE_PREFIXES = ['openai-', 'x-ratelimit-']

const NONE: readonly string[] = []
const knownOptions = new Map<string, readonly string[]>()
const MOST_KNOWN_OPTIONS = 64
const MAX_KNOWN_CONNECTION = 256

/** What a Connection header names, in lower case (RFC 9110 section 7.6.1). Clients send the same for ever. */
export function connectionOptions(connection: string): readonly string[] {
  const known = knownOptions.get(connection)
  if (known !== undefined) return known
  if (knownOptions.size >= MOST_KNOWN_OPTIONS) knownOptions.clear()
  const options = connection.toLowerCase().split(/[\t ]*,[\t ]*/)
  if (connection.length <= MAX_KNOWN_CONNECTION) knownOptions.set(connection, options)
  return options
}

/** Header lines that an engine may see of a client. What the Connection header nominates ends here too (RFC 9110 section 7.6.1). */
export function allowedRequestLines(headers: HeaderView, strip: readonly string[]): string {
  const connection = headers['connection']
  const nominated = connection === undefined ? NONE : connectionOptions(connection)
  let lines = ''
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined && requestRule.allows(name) && !strip.includes(name) && !nominated.includes(name) && isHeaderValue(value))
      lines += `${name}: ${value}\r\n`
  }
  return lines
}

export function allowedResponseHeaders(headers: HeaderView): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined && responseRule.allows(name) && isHeaderValue(value)) kept[name] = value
  }
  return kept
}

/** An allow-list that remembers its verdicts. */
class Rule {
  private readonly verdicts = new Map<string, boolean>()

  constructor(
    private readonly names: ReadonlySet<string>,
    private readonly prefixes: readonly string[],
  ) {}

  allows(name: string): boolean {
    const known = this.verdicts.get(name)
    if (known !== undefined) return known
    if (this.verdicts.size >= MOST_GOOD_NAMES) this.verdicts.clear()
    const verdict = isHeaderName(name) && (this.names.has(name) || this.prefixes.some((prefix) => name.startsWith(prefix)))
    this.verdicts.set(name, verdict)
    return verdict
  }
}

const requestRule = new Rule(REQUEST_ALLOWED, REQUEST_PREFIXES)
const responseRule = new Rule(RESPONSE_ALLOWED, RESPONSE_PREFIXES)
