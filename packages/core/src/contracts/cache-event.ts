/** What an engine tells about its prefix cache, one event after another. Hashes are opaque, compared as text. */
export type CacheEvent =
  /** Blocks are in the cache now, in the order of the prompt. */
  | {
      readonly kind: 'stored'
      readonly blocks: readonly string[]
      /** The block that they follow; null at the start of a prompt. */
      readonly parent: string | null
      readonly tokenIds: readonly number[]
      readonly blockTokens: number
      readonly adapter?: string
    }
  | { readonly kind: 'removed'; readonly blocks: readonly string[] }
  /** Nothing that was said before counts any more: the cache was cleared, the engine restarted, or events were lost beyond replay. */
  | { readonly kind: 'cleared'; readonly reason: 'engine' | 'restart' | 'gap' }
