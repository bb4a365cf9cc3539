import type { Clock } from '../base/index.js'
import type { RequestRecord } from '../contracts/index.js'
import { isFailedAttempt, isFailure, nodeTtftMsOf, tpotMsOf } from './record-times.js'
import { Traffic, type TrafficStats } from './traffic.js'

/** Turns request records into the numbers that people look at. */
export class RequestStats {
  private readonly nodes = new Map<string, Traffic>()
  private readonly pools = new Map<string, Traffic>()
  private readonly all: Traffic

  constructor(private readonly clock: Clock) {
    this.all = new Traffic(clock)
  }

  /** Takes in one settled request; call it once for each. */
  settle(record: RequestRecord): void {
    const passage = { failed: isFailure(record), ttftMs: record.ttftMs, tpotMs: tpotMsOf(record), tokens: record.completionTokens }
    this.all.count(passage)
    if (record.pool !== null) this.trafficOf(this.pools, record.pool).count(passage)
    for (const attempt of record.attempts) {
      const failed = isFailedAttempt(record, attempt)
      const answered = attempt === record.attempts.at(-1) && attempt.node === record.node
      const own = answered ? { ...passage, failed, ttftMs: nodeTtftMsOf(record) } : { failed, ttftMs: null, tpotMs: null, tokens: 0 }
      this.trafficOf(this.nodes, attempt.node).count(own)
    }
  }

  /** All zero for a node that has answered nothing. */
  node(id: string): TrafficStats {
    return (this.nodes.get(id) ?? new Traffic(this.clock)).read()
  }

  pool(name: string): TrafficStats {
    return (this.pools.get(name) ?? new Traffic(this.clock)).read()
  }

  gateway(): TrafficStats {
    return this.all.read()
  }

  /** Forgets nodes that are gone; without it a long life of comings and goings would keep them all. */
  retainNodes(ids: ReadonlySet<string>): void {
    for (const id of this.nodes.keys()) if (!ids.has(id)) this.nodes.delete(id)
  }

  /** Forgets pools that a reload took away. */
  retainPools(names: ReadonlySet<string>): void {
    for (const name of this.pools.keys()) if (!names.has(name)) this.pools.delete(name)
  }

  private trafficOf(places: Map<string, Traffic>, name: string): Traffic {
    let traffic = places.get(name)
    if (traffic === undefined) places.set(name, (traffic = new Traffic(this.clock)))
    return traffic
  }
}
