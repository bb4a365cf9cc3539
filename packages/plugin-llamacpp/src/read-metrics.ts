/** The numbers of `/metrics` that mean what they say. The averages beside them cover the time since anybody's last scrape, and are left alone. */
export interface Metrics {
  readonly running?: number
  readonly waiting?: number
  /** Prompt tokens that were computed, and those that were found in the cache. */
  readonly promptTokens?: number
  readonly cachedTokens?: number
}

const names = {
  'llamacpp:requests_processing': 'running',
  'llamacpp:requests_deferred': 'waiting',
  'llamacpp:prompt_tokens_total': 'promptTokens',
  'llamacpp:prompt_tokens_cached_total': 'cachedTokens',
} as const satisfies Readonly<Record<string, keyof Metrics>>

const line = /^(llamacpp:[a-z_]+)(?:\{[^}\n]*\})?[ \t]+(\S+)/gm

/** What is missing, not a number or below 0 is left out. */
export function readMetrics(text: string): Metrics {
  const found: { -readonly [Key in keyof Metrics]: Metrics[Key] } = {}
  for (const [, name = '', value = ''] of text.matchAll(line)) {
    const key = Object.hasOwn(names, name) ? names[name as keyof typeof names] : undefined
    const number = Number(value)
    if (key !== undefined && Number.isFinite(number) && number >= 0) found[key] = number
  }
  return found
}
