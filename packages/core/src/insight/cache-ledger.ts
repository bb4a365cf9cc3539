import type { CacheEvent } from '../contracts/index.js'

/** So many removals in a row of blocks that were known: what the engine holds is known whole. */
const KNOWN_REMOVALS = 32
/** More blocks are not followed: their names would take a hundred megabytes. */
const MOST_BLOCKS = 1_000_000
/** Share of an engine's cached tokens that may be prompts: the rest is answers, which the mirror does not see. */
const LEAST_SHARE = 0.5
const MOST_SHARE = 1.1
/** A capacity that differs by less is the same. */
const SAME = 0.02
/** A mirror that forgets by its own capacity tells nothing of the engine's. */
const FULL = 0.98
const GROW = 1.05

/** What the ledger may do to the belief about its node. */
export interface LedgerEffects {
  /** The mirror of the node. */
  mirror(): { readonly tokens: number; readonly capacityTokens: number }
  clearCache(): void
  learnCapacity(tokens: number): void
}

/**
 * Follows the cache events of one engine. Its block names are opaque, and its tokens are not ours, so single blocks are not tied to those of the mirror:
 * what counts is that the cache was cleared, and how much it held when the engine began to throw out what was oldest. The mirror forgets in the same order.
 */
export class CacheLedger {
  private blocks = new Map<string, number>()
  private heldTokens = 0
  private knownRemovals = 0
  /** What was held when something was last thrown out. */
  private fullTokens = 0

  constructor(private readonly effects: LedgerEffects) {}

  /** Tokens that the engine holds, as far as it told. */
  get tokens(): number {
    return this.heldTokens
  }

  take(event: CacheEvent): void {
    if (event.kind === 'cleared') return this.cleared(event.reason)
    if (!Array.isArray(event.blocks)) return
    if (event.kind === 'stored') this.stored(event.blocks, event.blockTokens)
    else this.removed(event.blocks)
  }

  /** Nobody knows what happened meanwhile. */
  lost(): void {
    this.blocks = new Map()
    this.heldTokens = 0
    this.knownRemovals = 0
    this.fullTokens = 0
  }

  private cleared(reason: 'engine' | 'restart' | 'gap'): void {
    this.lost()
    // News that was lost says nothing about the cache.
    if (reason === 'gap') return
    this.knownRemovals = KNOWN_REMOVALS
    this.effects.clearCache()
  }

  private stored(names: readonly string[], blockTokens: number): void {
    if (!(blockTokens > 0)) return
    for (const name of names) {
      if (this.blocks.has(name)) continue
      this.blocks.set(name, blockTokens)
      this.heldTokens += blockTokens
    }
    if (this.blocks.size > MOST_BLOCKS) return this.lost()
    this.grow()
  }

  private removed(names: readonly string[]): void {
    const before = this.heldTokens
    for (const name of names) {
      const tokens = this.blocks.get(name)
      this.knownRemovals = tokens === undefined ? 0 : this.knownRemovals + 1
      if (tokens === undefined) continue
      this.blocks.delete(name)
      this.heldTokens -= tokens
    }
    if (this.knownRemovals < KNOWN_REMOVALS) return
    this.fullTokens = before
    this.shrink(before)
  }

  /** The engine throws out while the mirror has room: the mirror's room is too large. */
  private shrink(engineTokens: number): void {
    const { tokens, capacityTokens } = this.effects.mirror()
    const room = Math.min(MOST_SHARE * engineTokens, Math.max(LEAST_SHARE * engineTokens, tokens))
    if (room < (1 - SAME) * capacityTokens) this.effects.learnCapacity(room)
  }

  /** The mirror has thrown out, and the engine has gone on to hold more than ever without: its room is larger. */
  private grow(): void {
    const { tokens, capacityTokens } = this.effects.mirror()
    if (tokens < FULL * capacityTokens || this.heldTokens < capacityTokens || this.heldTokens <= (1 + SAME) * this.fullTokens) return
    this.fullTokens = this.heldTokens
    this.effects.learnCapacity(Math.min(this.heldTokens, GROW * capacityTokens))
  }
}
