import type { LoadFacts, NodeBelief } from '../contracts/index.js'
import { IN_FLIGHT, KV_TOKENS, PREFILL_TOKENS, TOKENS, WAITING, type LeaseRows } from './lease-rows.js'

/** The belief about one node: a view of its shared row and what this thread alone has seen. */
export class NodeRow implements NodeBelief {
  slowness = 1
  lastProgressMs = 0
  headSinceMs = 0
  readonly cacheSource = 'mirror'
  load: LoadFacts | undefined
  loadAtMs = 0
  /** Prefill of each waiting request of this thread, the longest waiting first. */
  readonly queue = new Set<{ readonly prefillTokens: number }>()

  constructor(
    private readonly rows: LeaseRows,
    readonly index: number,
  ) {}

  get inFlight(): number {
    return this.rows.sum(this.index, IN_FLIGHT)
  }

  get waiting(): number {
    return this.rows.sum(this.index, WAITING)
  }

  get tokensInFlight(): number {
    return this.rows.sum(this.index, TOKENS)
  }

  get prefillTokens(): number {
    return this.rows.sum(this.index, PREFILL_TOKENS)
  }

  get kvTokens(): number {
    return this.rows.sum(this.index, KV_TOKENS)
  }

  get headPrefillTokens(): number {
    for (const first of this.queue) return first.prefillTokens
    return 0
  }
}
