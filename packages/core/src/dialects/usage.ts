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

const USAGE_KEY = Buffer.from('"usage"')
const OPEN = 0x7b
const CLOSE = 0x7d

/** The usage in a plain JSON answer, from its last bytes: found backwards, because answers end with it or nearly so. */
export function usageInAnswer(tail: Buffer): Usage | undefined {
  const key = tail.lastIndexOf(USAGE_KEY)
  const open = key === -1 ? -1 : tail.indexOf(OPEN, key)
  const close = open === -1 ? -1 : closingBrace(tail, open)
  if (close === -1) return undefined
  try {
    return usageOf(JSON.parse(tail.toString('utf8', open, close + 1)))
  } catch {
    return undefined
  }
}

function closingBrace(bytes: Buffer, open: number): number {
  let depth = 0
  for (let at = open; at < bytes.byteLength; at += 1) {
    if (bytes[at] === OPEN) depth += 1
    else if (bytes[at] === CLOSE && --depth === 0) return at
  }
  return -1
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0
}
