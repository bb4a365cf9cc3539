import type { Lease } from '../contracts/index.js'

/** A claim that tells somebody when the node's first content is there. */
export function tellingLease(lease: Lease, onContent: (() => void) | undefined): Lease {
  if (onContent === undefined) return lease
  let told = false
  return {
    believedCachedTokens: lease.believedCachedTokens,
    firstToken() {
      lease.firstToken()
      if (!told) onContent()
      told = true
    },
    tokens: (count) => lease.tokens(count),
    heldUp: () => lease.heldUp?.(),
    settle: (end) => lease.settle(end),
  }
}
