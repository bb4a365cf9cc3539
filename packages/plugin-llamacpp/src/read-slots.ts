/** What `/slots` says about the slots that work right now; what idle ones still hold can be dropped any time. */
export interface SlotFacts {
  readonly running: number
  /** Tokens of the running requests in the KV cache. */
  readonly usedTokens: number
  /** Context of each slot, in their order. */
  readonly contextTokens: readonly number[]
}

/** Undefined where the text is no list of slots. A fresh slot has its first four keys only. */
export function readSlots(text: string): SlotFacts | undefined {
  const list = parse(text)
  if (!Array.isArray(list)) return undefined
  const slots = list.filter((slot) => typeof slot === 'object' && slot !== null) as readonly Readonly<Record<string, unknown>>[]
  const busy = slots.filter((slot) => slot['is_processing'] === true)
  return {
    running: busy.length,
    usedTokens: busy.reduce((sum, slot) => sum + tokensOf(slot), 0),
    contextTokens: slots.map((slot) => count(slot['n_ctx'])),
  }
}

/** Builds differ in whether the prompt's count grows with the answer. */
function tokensOf(slot: Readonly<Record<string, unknown>>): number {
  const next: unknown = Array.isArray(slot['next_token']) ? slot['next_token'][0] : undefined
  const decoded = typeof next === 'object' && next !== null ? count((next as { n_decoded?: unknown }).n_decoded) : 0
  const prompt = count(slot['n_prompt_tokens'])
  return Math.max(prompt, count(slot['n_prompt_tokens_processed']) + count(slot['n_prompt_tokens_cache']) + decoded)
}

function count(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
