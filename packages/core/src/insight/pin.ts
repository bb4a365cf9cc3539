/** What the mirror must be told of a prompt: its blocks, first one first. */
export interface BlockChain {
  readonly prefixHashes: Float64Array
  /** Tokens that the first so many blocks cover. */
  prefixTokens(blocks: number): number
}

/** The blocks of one request's prompt while it is at a node: in use there, so that the node does not forget them. Used again for later requests. */
export class Pin {
  node = 0
  /** Of the node's cache: what was taken in one life of it is nothing in the next. */
  life = 0
  /** Entries, of the first block first. */
  readonly entries: number[] = []
  count = 0
  /** Blocks of the prefix that the node had computed, and of the one that it had computed or been sent. */
  computedBlocks = 0
  heldBlocks = 0
  /** Tokens of the prefix that the node had computed, and of the one that it had computed or been sent. */
  computedTokens = 0
  promisedTokens = 0
  /** When the last block of the computed prefix, and the first, had been let go; Infinity where it was in use. */
  lastStamp = Infinity
  firstStamp = Infinity
  isComputed = false
  isRead = false
  /** Tokens of all its blocks, once they are read. */
  blockTokens = 0

  reset(node: number, life: number): void {
    this.node = node
    this.life = life
    this.count = 0
    this.computedBlocks = 0
    this.heldBlocks = 0
    this.computedTokens = 0
    this.promisedTokens = 0
    this.lastStamp = Infinity
    this.firstStamp = Infinity
    this.isComputed = false
    this.isRead = false
    this.blockTokens = 0
  }
}
