import type { Lease } from '@plimsoll/core/routing'
import type { PromptFacts } from './prompt-facts.js'
import type { WorkloadRequest } from './workload.js'

/** One request on its way through the simulation, over all its attempts. */
export class Flight {
  /** The claim of the attempt under way. */
  lease: Lease | undefined
  /** Where the attempt under way is, by place in the list of nodes; -1 = nowhere. */
  node = -1
  /** Nodes that lost it. */
  readonly lostBy: number[] = []
  /** When the client saw the first token; NaN before. */
  firstTokenMs = Number.NaN
  cachedTokens = 0

  constructor(
    /** Name of the request at engines, free again when it has ended. */
    readonly key: number,
    readonly request: WorkloadRequest,
    readonly facts: PromptFacts,
    readonly sentMs: number,
  ) {}

  get hasFirstToken(): boolean {
    return !Number.isNaN(this.firstTokenMs)
  }
}
