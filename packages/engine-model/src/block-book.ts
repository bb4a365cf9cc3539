import { holdPrivate, RunCache } from './run-cache.js'
import type { BlockChain } from './run-chain.js'
import type { Sequence } from './sequence.js'

/** Which blocks of the cache each sequence holds, told by the tokens that it has computed. */
export class BlockBook {
  readonly cache: RunCache
  constructor(
    totalBlocks: number,
    private readonly blockTokens: number,
  ) {
    this.cache = new RunCache(totalBlocks)
  }

  blocksOf(tokens: number): number {
    return Math.ceil(tokens / this.blockTokens)
  }

  /** Blocks of such a prompt that are cached: whole ones, and never the last token, as something must be computed to get an answer. */
  countHits(chain: BlockChain, knownTokens: number): number {
    const limit = Math.floor((knownTokens - 1) / this.blockTokens)
    let hits = 0
    for (let index = 0; index < chain.keys.length && hits < limit; index++) {
      const wanted = Math.min(chain.ends[index] ?? 0, limit)
      hits += this.cache.cached(chain.keys[index] ?? 0, wanted - hits)
      if (hits < wanted) break
    }
    return hits
  }

  /** Shares what is cached of a sequence's text, if all that is known of it fits; else nothing is held and the answer is false. */
  admit(sequence: Sequence): boolean {
    const { chain, knownTokens } = sequence
    const hits = this.countHits(chain, knownTokens)
    const fresh = this.blocksOf(knownTokens) - hits
    if (this.cache.freeBlocks < fresh) return false
    if (this.cache.freeBlocks < fresh + this.countUnheld(chain, hits)) return false
    eachStretch(chain, hits, (key, blocks) => this.cache.retain(key, blocks, sequence.holds))
    sequence.placedBlocks = hits
    sequence.compute(hits * this.blockTokens)
    return true
  }

  /** Says what the taken blocks up to here hold: as in vLLM, hits are possible from the moment of scheduling. */
  place(sequence: Sequence, tokens: number): void {
    const { chain, holds } = sequence
    const full = Math.floor(tokens / this.blockTokens)
    while (sequence.placedBlocks < full) {
      const key = chain.keys[sequence.stretch]
      const begin = sequence.stretch === 0 ? 0 : (chain.ends[sequence.stretch - 1] ?? 0)
      const end = chain.ends[sequence.stretch] ?? Infinity
      const to = Math.min(end, full)
      if (sequence.placedBlocks >= end) sequence.stretch++
      else if (key === undefined) holdPrivate(holds, to - sequence.placedBlocks)
      else this.cache.publish(key, { from: sequence.placedBlocks - begin, to: to - begin }, holds)
      sequence.placedBlocks = Math.max(sequence.placedBlocks, to)
    }
  }

  /** Gives everything back; `tokens` are those that it has blocks for. */
  release(sequence: Sequence, tokens: number): void {
    this.place(sequence, tokens)
    this.cache.release(sequence.holds, this.blocksOf(tokens) - sequence.placedBlocks)
  }

  private countUnheld(chain: BlockChain, hits: number): number {
    let count = 0
    eachStretch(chain, hits, (key, blocks) => (count += this.cache.unheld(key, blocks)))
    return count
  }
}

/** The first so many blocks, stretch by stretch. */
function eachStretch(chain: BlockChain, blocks: number, visit: (key: number, blocks: number) => void): void {
  for (let index = 0, at = 0; at < blocks; index++) {
    const end = Math.min(chain.ends[index] ?? 0, blocks)
    visit(chain.keys[index] ?? 0, end - at)
    at = end
  }
}
