import type { Candidate, PrefixMatch, RequestFacts } from '../contracts/index.js'

interface Block {
  tokens: number
  present: boolean
}

/** Tokens that a node's cache is taken to hold before it says. */
const FIRST_CAPACITY_TOKENS = 400_000

/** What each node's prefix cache holds, as far as it can be told from what was sent there: an LRU of block hashes for each node. */
export class PrefixMirror {
  private readonly nodes = new Map<number, NodeCache>()
  private match: { presentTokens: Float64Array; promisedTokens: Float64Array } = {
    presentTokens: new Float64Array(16),
    promisedTokens: new Float64Array(16),
  }

  cachedTokens(facts: RequestFacts, candidates: readonly Candidate[]): PrefixMatch {
    if (this.match.presentTokens.length < candidates.length) {
      const size = 2 * candidates.length
      this.match = { presentTokens: new Float64Array(size), promisedTokens: new Float64Array(size) }
    }
    const { presentTokens, promisedTokens } = this.match
    for (const [position, node] of candidates.entries()) {
      const { present, promised } = this.nodes.get(node.index)?.find(facts) ?? NOTHING
      presentTokens[position] = present
      promisedTokens[position] = promised
    }
    return this.match
  }

  /** The prompt is on its way to the node. */
  promise(index: number, facts: RequestFacts): void {
    this.cacheOf(index).touch(facts, false)
  }

  /** The node has computed the prompt. */
  store(index: number, facts: RequestFacts): void {
    this.cacheOf(index).touch(facts, true)
  }

  setCapacity(index: number, tokens: number): void {
    this.cacheOf(index).capacityTokens = tokens
  }

  clear(index: number): void {
    this.nodes.delete(index)
  }

  private cacheOf(index: number): NodeCache {
    let cache = this.nodes.get(index)
    if (cache === undefined) this.nodes.set(index, (cache = new NodeCache()))
    return cache
  }
}

const NOTHING = { present: 0, promised: 0 }

class NodeCache {
  capacityTokens = FIRST_CAPACITY_TOKENS
  private heldTokens = 0
  /** In order of last use. */
  private readonly blocks = new Map<number, Block>()

  find(facts: RequestFacts): { present: number; promised: number } {
    let present = 0
    let count = 0
    for (const hash of facts.prefixHashes) {
      const block = this.blocks.get(hash)
      if (block === undefined) break
      count += 1
      if (block.present && present === count - 1) present = count
    }
    const most = facts.promptTokens - 1
    return { present: Math.min(most, facts.prefixTokens(present)), promised: Math.min(most, facts.prefixTokens(count)) }
  }

  /** Last block first, so that the beginning of a prompt is forgotten last. */
  touch(facts: RequestFacts, present: boolean): void {
    for (let index = facts.prefixHashes.length - 1; index >= 0; index -= 1) {
      const hash = facts.prefixHashes[index] ?? 0
      let block = this.blocks.get(hash)
      if (block === undefined) {
        block = { tokens: facts.prefixTokens(index + 1) - facts.prefixTokens(index), present }
        this.heldTokens += block.tokens
      } else this.blocks.delete(hash)
      block.present ||= present
      this.blocks.set(hash, block)
    }
    for (const [hash, block] of this.blocks) {
      if (this.heldTokens <= this.capacityTokens) return
      this.blocks.delete(hash)
      this.heldTokens -= block.tokens
    }
  }
}
