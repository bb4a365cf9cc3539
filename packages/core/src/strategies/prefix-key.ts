import type { RequestFacts } from '../contracts/index.js'
import { hashOfNumber } from './hash-key.js'

/** 32 bits that name the first so many tokens of a prompt, in whole blocks; undefined for a prompt without a block. */
export function prefixKey(facts: RequestFacts, tokens: number): number | undefined {
  const { prefixHashes } = facts
  let blocks = 1
  while (blocks < prefixHashes.length && facts.prefixTokens(blocks) < tokens) blocks += 1
  const hash = prefixHashes[blocks - 1]
  return hash === undefined ? undefined : hashOfNumber(hash)
}
