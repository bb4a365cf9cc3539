import type { RequestFacts } from '../contracts/index.js'

/** Blocks that one history remembers at most, whatever their size: some 16 MB. */
const MOST_BLOCKS = 200_000

/**
 * What a strategy itself has sent to one node: hashes of prompt blocks, the least recently used forgotten first. It knows nothing of the node's own
 * cache: not its size, not what it threw away.
 */
export class PrefixHistory {
  /** Hash to the tokens of its block, in order of last use; a block always after those behind it in a prompt, so that ends are forgotten before beginnings. */
  private readonly blocks = new Map<number, number>()
  private tokens = 0

  constructor(private readonly maxTokens: number) {}

  get heldTokens(): number {
    return this.tokens
  }

  /** Tokens of the prompt's beginning that were sent here before. */
  matchedTokens(facts: RequestFacts): number {
    const { prefixHashes } = facts
    let [held, missing] = [0, prefixHashes.length + 1]
    while (missing - held > 1) {
      const middle = (held + missing) >>> 1
      if (this.blocks.has(prefixHashes[middle - 1] ?? -1)) held = middle
      else missing = middle
    }
    return facts.prefixTokens(held)
  }

  add(facts: RequestFacts): void {
    const { prefixHashes } = facts
    for (let block = prefixHashes.length; block > 0; block -= 1) {
      const hash = prefixHashes[block - 1] ?? 0
      const tokens = this.blocks.get(hash) ?? this.begun(facts.prefixTokens(block) - facts.prefixTokens(block - 1))
      this.blocks.delete(hash)
      this.blocks.set(hash, tokens)
    }
    this.forgetOldest()
  }

  private begun(tokens: number): number {
    this.tokens += tokens
    return tokens
  }

  private forgetOldest(): void {
    if (this.tokens <= this.maxTokens && this.blocks.size <= MOST_BLOCKS) return
    for (const [hash, tokens] of this.blocks) {
      if (this.tokens <= this.maxTokens && this.blocks.size <= MOST_BLOCKS) return
      this.blocks.delete(hash)
      this.tokens -= tokens
    }
  }
}
