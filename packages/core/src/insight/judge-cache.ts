import type { RequestFacts } from '../contracts/index.js'
import type { CacheSample } from './cache-truth.js'
import type { Pin } from './pin.js'
import type { PrefixMirror } from './prefix-mirror.js'

/** Engines find whole blocks of theirs, templates add tokens of their own, and our measure is an estimate. */
const SLACK_TOKENS = 32
const SLACK_SHARE = 0.05

export interface ToldCache {
  readonly facts: RequestFacts
  /** What the engine found in its cache, in our measure of the prompt. */
  readonly toldTokens: number
  /** Tokens in one of the engine's blocks; 0 = unknown. */
  readonly blockTokens: number
}

/**
 * Holds what an engine found in its cache against what was believed when the request was sent. Less: the blocks that it missed had been forgotten, and so
 * had all that were let go before them, for engines forget in that order. The request's own blocks are there again: it has just computed them.
 * Undefined where the answer is no test.
 */
export function judgeCache(mirror: PrefixMirror, pin: Pin, { facts, toldTokens, blockTokens }: ToldCache): CacheSample | undefined {
  if (!mirror.isOfThisLife(pin)) return undefined
  const believedTokens = Math.max(0, pin.computedTokens)
  const slackTokens = SLACK_TOKENS + blockTokens + SLACK_SHARE * believedTokens
  const isLess = toldTokens < believedTokens - slackTokens
  // In use by another request at that moment, it was there: the engine counts otherwise than we do.
  const since = toldTokens < facts.prefixTokens(1) - slackTokens ? pin.firstStamp : pin.lastStamp
  const isMiss = isLess && since !== Infinity
  if (isMiss) mirror.forgetOlder(pin.node, since)
  const overTokens = toldTokens - Math.max(0, pin.promisedTokens) - slackTokens
  const isMore = overTokens > 0 && overTokens > nextBlockTokens(facts, pin.promisedTokens)
  return { believedTokens, toldTokens, verdict: isMiss ? -1 : isMore ? 1 : 0, heldTokens: mirror.tokensAt(pin.node) }
}

/** Tokens of the block behind the prefix: a part of it may have been cached. */
function nextBlockTokens(facts: RequestFacts, tokens: number): number {
  let blocks = 0
  while (blocks < facts.prefixHashes.length && facts.prefixTokens(blocks) <= tokens) blocks += 1
  return facts.prefixTokens(blocks) - facts.prefixTokens(Math.max(0, blocks - 1))
}
