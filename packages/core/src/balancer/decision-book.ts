import type { Decision, RequestRecord } from '../contracts/index.js'
import type { Why } from '../control/index.js'
import type { RecordRing } from '../proxy/index.js'

/** Requests of which choices are kept. */
const MOST_REQUESTS = 1_000
/** One for each try, and for waits. */
const MOST_DECISIONS = 16

interface Entry {
  readonly decisions: Decision[]
  record: RequestRecord | null
}

/** The newest choices that were told, by request, with what became of them. */
export class DecisionBook {
  private readonly entries = new Map<string, Entry>()

  /** `records`: those of requests whose choices were not told. */
  constructor(private readonly records: Pick<RecordRing, 'find'>) {}

  add(decision: Decision): void {
    const known = this.entries.get(decision.id)
    // A client may send one id twice; the newer request counts.
    if (known !== undefined && known.record === null && known.decisions[0]?.arrivedAtMs === decision.arrivedAtMs) {
      if (known.decisions.length < MOST_DECISIONS) known.decisions.push(decision)
      return
    }
    this.entries.delete(decision.id)
    this.entries.set(decision.id, { decisions: [decision], record: null })
    for (const oldest of this.entries.keys()) {
      if (this.entries.size <= MOST_REQUESTS) break
      this.entries.delete(oldest)
    }
  }

  settle(record: RequestRecord): void {
    const entry = this.entries.get(record.id)
    if (entry !== undefined && entry.decisions[0]?.arrivedAtMs === record.arrivedAtMs) entry.record = record
  }

  /** All that is known of one request; undefined where that is nothing. */
  why(id: string): Why | undefined {
    const entry = this.entries.get(id)
    if (entry !== undefined) return { id, ...entry }
    const record = this.records.find(id)
    return record === undefined ? undefined : { id, record, decisions: [] }
  }

  /** Newest first. */
  newest(limit: number): readonly Why[] {
    return [...this.entries]
      .slice(-limit)
      .toReversed()
      .map(([id, entry]) => ({ id, ...entry }))
  }
}
