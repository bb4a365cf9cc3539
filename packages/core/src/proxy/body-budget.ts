import { LbError } from '../errors/index.js'

/** Memory for request bodies over all requests: what is over it is refused instead of swapped. */
export class BodyBudget {
  private usedBytes = 0

  /** A request's share, empty at first. */
  open(limitBytes: number): BodyShare {
    return new BodyShare(this, limitBytes)
  }

  /** Throws LB_BODIES_MEMORY (503). */
  take(bytes: number, limitBytes: number): void {
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
  }

  give(bytes: number): void {
    this.usedBytes -= bytes
  }
}

/** What one request holds of the budget; grows with each piece that arrives. */
export class BodyShare {
  private bytes = 0

  constructor(
    private readonly budget: BodyBudget,
    private readonly limitBytes: number,
  ) {}

  /** Throws LB_BODIES_MEMORY (503). */
  grow(bytes: number): void {
    this.budget.take(bytes, this.limitBytes)
    this.bytes += bytes
  }

  /** Later calls do nothing. */
  release(): void {
    this.budget.give(this.bytes)
    this.bytes = 0
  }
}
