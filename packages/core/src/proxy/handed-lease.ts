import type { Lease } from '../contracts/index.js'

/**
 * The claim on a node that answers with a prompt from elsewhere. It tells what came over the network as cached; of its own cache that says nothing, so the
 * belief does not hear of it.
 */
export function handedLease(lease: Lease): Lease {
  return {
    believedCachedTokens: lease.believedCachedTokens,
    firstToken: () => lease.firstToken(),
    tokens: (count) => lease.tokens(count),
    heldUp: () => lease.heldUp?.(),
    settle(end) {
      const { promptTokens, completionTokens } = end?.usage ?? {}
      const isTold = promptTokens !== undefined && completionTokens !== undefined
      lease.settle(end === undefined || !isTold ? end : { ...end, usage: { promptTokens, completionTokens } })
    },
  }
}
