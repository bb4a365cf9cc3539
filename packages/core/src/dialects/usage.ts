import type { Usage } from '../contracts/index.js'

/** OpenAI's usage object, as every engine's `/v1` gives it; undefined for anything else. */
export function usageOf(value: unknown): Usage | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { prompt_tokens: prompt, completion_tokens: completion, prompt_tokens_details: details } = value as Record<string, unknown>
  if (!isCount(prompt)) return undefined
  const cached = typeof details === 'object' && details !== null ? (details as Record<string, unknown>)['cached_tokens'] : undefined
  return {
    promptTokens: prompt,
    completionTokens: isCount(completion) ? completion : 0,
    ...(isCount(cached) ? { cachedTokens: cached } : {}),
  }
}

/** The usage in a plain JSON answer, from its last bytes: found backwards, because answers end with it or nearly so. */
export function usageInAnswer(tail: Uint8Array): Usage | undefined {
  const text = Buffer.from(tail.buffer, tail.byteOffset, tail.byteLength).toString('utf8')
  const key = text.lastIndexOf('"usage"')
  const open = key === -1 ? -1 : text.indexOf('{', key)
  if (open === -1) return undefined
  const close = closingBrace(text, open)
  try {
    return close === -1 ? undefined : usageOf(JSON.parse(text.slice(open, close + 1)))
  } catch {
    return undefined
  }
}

function closingBrace(text: string, open: number): number {
  let depth = 0
  for (let at = open; at < text.length; at += 1) {
    if (text[at] === '{') depth += 1
    else if (text[at] === '}' && --depth === 0) return at
  }
  return -1
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0
}
