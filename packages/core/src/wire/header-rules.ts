import type { HeaderView } from '../contracts/index.js'

/** RFC 9110 section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** RFC 9110 section 5.5, without the obsolete line folding: visible characters, spaces and tabs. */
// oxlint-disable-next-line no-control-regex -- tab is allowed in a field value
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

export function isHeaderName(name: string): boolean {
  return TOKEN.test(name)
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

export function allowedRequestHeaders(headers: HeaderView, strip: readonly string[] = []): Record<string, string> {
  return allowed(headers, REQUEST_ALLOWED, REQUEST_PREFIXES, new Set(strip))
}

export function allowedResponseHeaders(headers: HeaderView): Record<string, string> {
  return allowed(headers, RESPONSE_ALLOWED, RESPONSE_PREFIXES, new Set())
}

function allowed(
  headers: HeaderView,
  names: ReadonlySet<string>,
  prefixes: readonly string[],
  strip: ReadonlySet<string>,
): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    const wanted = (names.has(name) || prefixes.some((prefix) => name.startsWith(prefix))) && !strip.has(name)
    if (wanted && isHeaderName(name) && isHeaderValue(value)) kept[name] = value
  }
  return kept
}
