import type { Candidate, PrefixMatch, RequestFacts } from '../contracts/index.js'
import type { BlockTable } from './block-table.js'
import type { BlockChain } from './pin.js'

const NONE = -1
const NO_SLOTS = new Int32Array(0)

/** Finds for all candidates at once how much of a prompt they hold: one walk over its blocks, in which the nodes that lack one drop out. */
export class PrefixWalk {
  /** By node. */
  private computedMatch = new Float64Array(32)
  private promisedMatch = new Float64Array(32)
  private alive = new Uint32Array(1)
  private aliveComputed = new Uint32Array(1)
  private match = { presentTokens: new Float64Array(32), promisedTokens: new Float64Array(32) }
  /** Slots of the blocks of the prompt that was asked for last: it is sent somewhere next. */
  private slots = new Int32Array(64)
  private slotCount = 0
  private slotsOf: BlockChain | undefined
  private slotsEpoch = 0

  constructor(private readonly blocks: BlockTable) {}

  cachedTokens(facts: RequestFacts, candidates: readonly Candidate[]): PrefixMatch {
    const known = this.resolve(facts)
    this.widen()
    const { computedMatch, promisedMatch } = this
    computedMatch.fill(0)
    promisedMatch.fill(0)
    if (known > 0) this.walk(facts, known)
    if (this.match.presentTokens.length < candidates.length) {
      const size = 2 * candidates.length
      this.match = { presentTokens: new Float64Array(size), promisedTokens: new Float64Array(size) }
    }
    const { presentTokens, promisedTokens } = this.match
    for (let position = 0; position < candidates.length; position += 1) {
      const index = candidates[position]?.index ?? 0
      presentTokens[position] = computedMatch[index] ?? 0
      promisedTokens[position] = promisedMatch[index] ?? 0
    }
    return this.match
  }

  /** Slots of the first blocks of a prompt, where it is the one that was asked for last and none of them is another block's now. */
  remembered(chain: BlockChain): Int32Array {
    return this.slotsOf === chain && this.slotsEpoch === this.blocks.epoch ? this.slots.subarray(0, this.slotCount) : NO_SLOTS
  }

  /** Finds the slots of a prompt's blocks, up to the first one that no node holds; returns how many. */
  private resolve(chain: BlockChain): number {
    const { prefixHashes } = chain
    if (this.slots.length < prefixHashes.length) this.slots = new Int32Array(2 * prefixHashes.length)
    const { slots, blocks } = this
    let count = 0
    while (count < prefixHashes.length) {
      const slot = blocks.find(prefixHashes[count] ?? 0)
      if (slot === NONE) break
      slots[count] = slot
      count += 1
    }
    this.slotsOf = chain
    this.slotsEpoch = blocks.epoch
    this.slotCount = count
    return count
  }

  private walk(facts: RequestFacts, known: number): void {
    const { alive, aliveComputed, slots, blocks } = this
    const { rows, words } = blocks
    const most = facts.promptTokens - 1
    alive.fill(0xffffffff)
    aliveComputed.fill(0xffffffff)
    let any = 1
    let at = 0
    for (; at < known && any !== 0; at += 1) {
      const base = 2 * words * (slots[at] ?? 0)
      let tokens = at === 0 ? 0 : -1
      any = 0
      for (let word = 0; word < words; word += 1) {
        const before = alive[word] ?? 0
        if (before === 0) continue
        const now = before & (rows[base + word] ?? 0)
        const beforeComputed = aliveComputed[word] ?? 0
        const nowComputed = beforeComputed & (rows[base + words + word] ?? 0)
        if (now !== before || nowComputed !== beforeComputed) {
          if (tokens < 0) tokens = Math.min(most, facts.prefixTokens(at))
          if (tokens > 0) {
            settleBits(this.promisedMatch, word, before & ~now, tokens)
            settleBits(this.computedMatch, word, beforeComputed & ~nowComputed, tokens)
          }
          alive[word] = now
          aliveComputed[word] = nowComputed
        }
        any |= now
      }
    }
    if (any === 0) return
    const tokens = Math.min(most, facts.prefixTokens(at))
    for (let word = 0; word < words; word += 1) {
      settleBits(this.promisedMatch, word, alive[word] ?? 0, tokens)
      settleBits(this.computedMatch, word, aliveComputed[word] ?? 0, tokens)
    }
  }

  private widen(): void {
    const { words } = this.blocks
    if (words === this.alive.length) return
    this.computedMatch = new Float64Array(32 * words)
    this.promisedMatch = new Float64Array(32 * words)
    this.alive = new Uint32Array(words)
    this.aliveComputed = new Uint32Array(words)
  }
}

function settleBits(match: Float64Array, word: number, bits: number, tokens: number): void {
  let left = bits
  while (left !== 0) {
    const bit = 31 - Math.clz32(left)
    match[32 * word + bit] = tokens
    left &= ~(1 << bit)
  }
}
