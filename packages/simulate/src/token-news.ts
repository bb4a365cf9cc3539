import type { Fleet } from './fleet.js'
import type { Flight } from './flight.js'
import type { VirtualClock } from './virtual-clock.js'

/** How late the balancer may hear of tokens. Real ones come with each step of an engine, every 10 to 60 ms. */
const MOST_DELAY_MS = 20

/**
 * Lets the balancer hear the tokens of decoding requests, told in arrears: just before somebody looks, and under the time at which they came. Of each node one
 * request is told of: the others got the same tokens at the same moments.
 */
export class TokenNews {
  /** Requests behind their first token, by node, the oldest first. */
  private readonly decoding: readonly Set<Flight>[]
  private readonly toldSteps: number[]
  private readonly toldMs: number[]
  /** Nodes are heard one after the other; no need to look again before this. */
  private restMs = 0

  constructor(
    private readonly nodes: number,
    private readonly fleet: Fleet,
    private readonly clock: VirtualClock,
    private readonly networkMs: number,
  ) {
    this.decoding = Array.from({ length: nodes }, () => new Set<Flight>())
    this.toldSteps = Array.from({ length: nodes }, () => 0)
    this.toldMs = Array.from({ length: nodes }, () => 0)
  }

  /** Before a choice: all nodes that were not heard for a while. */
  hearAll(): void {
    const nowMs = this.clock.ms
    if (nowMs < this.restMs) return
    this.restMs = nowMs + MOST_DELAY_MS
    for (let node = 0; node < this.nodes; node++)
      if ((this.decoding[node]?.size ?? 0) > 0 && nowMs - (this.toldMs[node] ?? 0) >= MOST_DELAY_MS) this.hear(node)
  }

  /** Before the node's claims change. */
  hear(node: number): void {
    const { clock, fleet } = this
    const nowMs = clock.ms
    this.toldMs[node] = nowMs
    const { steps, atMs } = fleet.decoded(node, nowMs)
    const fresh = steps - (this.toldSteps[node] ?? 0)
    this.toldSteps[node] = steps
    if (fresh <= 0) return
    for (const oldest of this.decoding[node] ?? []) {
      clock.ms = Math.min(nowMs, atMs + this.networkMs)
      oldest.lease?.tokens(fresh)
      clock.ms = nowMs
      return
    }
  }

  begin(flight: Flight): void {
    this.decoding[flight.node]?.add(flight)
  }

  end(flight: Flight): void {
    this.decoding[flight.node]?.delete(flight)
  }
}
