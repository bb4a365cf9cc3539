import type { LoadFacts, NodeBelief } from '../contracts/index.js'
import { CAPACITY_TOKENS, TRUST, type LeaseRows } from './lease-rows.js'

/** Tokens that a node's cache is taken to hold before it says. */
const FIRST_CAPACITY_TOKENS = 400_000
/** A capacity that answers have taught goes this far from what the engine said, or from the first guess. */
const LEAST_SHARE = 1 / 16
const MOST_SHARE_TOLD = 1
const MOST_SHARE_GUESSED = 8
/** One miss takes no more than this share; one surplus gives so much. */
const SHRINK = 0.9
const GROW = 1.05
/** A mirror fuller than this may be too small. */
const FULL = 0.9
const TRUST_LEARNING = 0.1
/** Below it nothing is believed cached: the engine has no prefix cache, or one of another kind. */
const LEAST_TRUST = 0.15
/** Beliefs about less are no test. */
const LEAST_BELIEVED_TOKENS = 64

/** What one answer's usage said of the belief. */
export interface CacheSample {
  /** Prompt tokens that were believed computed at the node when the request was sent. */
  readonly believedTokens: number
  /** What the engine found, in the same measure. */
  readonly toldTokens: number
  /** -1: less was there than believed. 1: more. */
  readonly verdict: -1 | 0 | 1
  /** Tokens that the mirror holds of the node; after a miss, what is left. */
  readonly heldTokens: number
}

/** How far the mirror of each node can be trusted, and how much the node's cache holds: what engines say in their answers and events corrects the guess. */
export class CacheTruth {
  /** What the engine said of its capacity, by node. */
  private readonly said = new Map<number, number>()

  constructor(private readonly rows: LeaseRows) {}

  capacityOf(index: number): number {
    const capacity = this.rows.toldOf(index, CAPACITY_TOKENS)
    return capacity === 0 ? FIRST_CAPACITY_TOKENS : capacity
  }

  isTrusted(index: number): boolean {
    const trust = this.rows.toldOf(index, TRUST)
    return trust === 0 || trust - 1 >= LEAST_TRUST
  }

  /** Share of the tokens believed cached that were. */
  trustOf(index: number): number {
    const trust = this.rows.toldOf(index, TRUST)
    return trust === 0 ? 1 : trust - 1
  }

  sourceOf(index: number): NodeBelief['cacheSource'] {
    return this.isTrusted(index) ? 'mirror' : 'none'
  }

  /** What it says of itself. */
  learnLoad(index: number, { kvBlocks, kvBlockTokens }: LoadFacts): void {
    if (kvBlocks === undefined || kvBlockTokens === undefined || this.said.get(index) === kvBlocks * kvBlockTokens) return
    this.learnCapacity(index, kvBlocks * kvBlockTokens)
  }

  /** The engine is known to hold this much. */
  learnCapacity(index: number, tokens: number): void {
    if (!(tokens > 0)) return
    this.said.set(index, tokens)
    this.rows.tell(index, CAPACITY_TOKENS, tokens)
  }

  learn(index: number, { believedTokens, toldTokens, verdict, heldTokens }: CacheSample): void {
    if (believedTokens >= LEAST_BELIEVED_TOKENS) {
      const trust = this.trustOf(index)
      this.rows.tell(index, TRUST, 1 + trust + TRUST_LEARNING * (Math.min(1, toldTokens / believedTokens) - trust))
    }
    const capacity = this.capacityOf(index)
    const said = this.said.get(index)
    const base = said ?? FIRST_CAPACITY_TOKENS
    if (verdict === -1) {
      const least = Math.max(LEAST_SHARE * base, SHRINK * capacity)
      this.rows.tell(index, CAPACITY_TOKENS, Math.min(capacity, Math.max(least, heldTokens)))
    } else if (verdict === 1 && heldTokens > FULL * capacity) {
      const most = (said === undefined ? MOST_SHARE_GUESSED : MOST_SHARE_TOLD) * base
      this.rows.tell(index, CAPACITY_TOKENS, Math.max(capacity, Math.min(most, GROW * capacity)))
    }
  }

  forget(index: number): void {
    this.said.delete(index)
    this.rows.tell(index, CAPACITY_TOKENS, 0)
    this.rows.tell(index, TRUST, 0)
  }
}
