import type { PrefixMatch, RequestFacts } from '../contracts/index.js'

/** Which blocks count as cached: those already computed there, or also those that a request sent before is about to compute. */
export type CacheSetting = 'promised' | 'present'

export const cacheSetting = {
  enum: ['promised', 'present'],
  default: 'promised',
  description:
    'Which part of a prompt counts as cached on a node: what was computed there (`present`), or also what requests sent before are about to compute (`promised`).',
}

/** Tokens of the prompt that need no prefill, by position among the candidates. */
export function cachedBy(match: PrefixMatch, setting: CacheSetting | undefined): Float64Array {
  return setting === 'present' ? match.presentTokens : match.promisedTokens
}

/** Of this prompt the caches hold so much; position `chosen` is to be explained. */
export interface HeldPrompt {
  readonly facts: RequestFacts
  readonly cached: Float64Array
  readonly count: number
  readonly chosen: number
}

/** "it holds 93 % of the prompt", or undefined where it holds hardly more than the others do on average: then something else decided. */
export function holdsShare({ facts, cached, count, chosen }: HeldPrompt): string | undefined {
  const own = cached[chosen] ?? 0
  let others = 0
  for (let position = 0; position < count; position += 1) if (position !== chosen) others += cached[position] ?? 0
  const prompt = Math.max(1, facts.promptTokens)
  const lead = (own - others / Math.max(1, count - 1)) / prompt
  return lead < 0.1 ? undefined : `it holds ${Math.round((100 * own) / prompt)} % of the prompt`
}
