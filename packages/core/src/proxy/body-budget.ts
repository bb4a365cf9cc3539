import { LbError } from '../errors/index.js'

/** Memory for request bodies over all requests: what is over it is refused instead of swapped. */
export class BodyBudget {
  private usedBytes = 0

  /** Reserves memory; the function gives it back. Throws LB_BODIES_MEMORY (503). */
  take(bytes: number, limitBytes: number): () => void {
    if (this.usedBytes + bytes > limitBytes) {
      throw new LbError(`request bodies already hold ${this.usedBytes} of ${limitBytes} bytes of memory`, {
        code: 'LB_BODIES_MEMORY',
        source: 'lb',
        httpStatus: 503,
        retry: 'after-wait',
        retryAfterMs: 1_000,
        hint: 'try again, or raise gateway.maxBodies',
      })
    }
    this.usedBytes += bytes
    let held = true
    return () => {
      if (held) this.usedBytes -= bytes
      held = false
    }
  }
}
