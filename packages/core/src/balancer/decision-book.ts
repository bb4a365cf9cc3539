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
  /** How many of these await their record, by the time of arrival: all others' records, nearly all there are, cost a look at a number. */
  private readonly awaited = new Map<number, number>()

  /** `records`: those of requests whose choices were not told. */
  constructor(private readonly records: Pick<RecordRing, 'find'>) {}

  add(decision: Decision): void {
    const known = this.entries.get(decision.id)
    // A client may send one id twice; the newer request counts.
    if (known !== undefined && known.record === null && known.decisions[0]?.arrivedAtMs === decision.arrivedAtMs) {
      if (known.decisions.length < MOST_DECISIONS) known.decisions.push(decision)
      return
    }
    this.forget(decision.id, known)
    this.entries.set(decision.id, { decisions: [decision], record: null })
    this.count(decision.arrivedAtMs, 1)
    for (const [oldest, entry] of this.entries) {
      if (this.entries.size <= MOST_REQUESTS) break
      this.forget(oldest, entry)
    }
  }

  settle(record: RequestRecord): void {
    if (!this.awaited.has(record.arrivedAtMs)) return
    const entry = this.entries.get(record.id)
    if (entry === undefined || entry.decisions[0]?.arrivedAtMs !== record.arrivedAtMs) return
    if (entry.record === null) this.count(record.arrivedAtMs, -1)
    entry.record = record
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

  private forget(id: string, entry: Entry | undefined): void {
    const arrivedAtMs = entry?.decisions[0]?.arrivedAtMs
    this.entries.delete(id)
    if (entry?.record === null && arrivedAtMs !== undefined) this.count(arrivedAtMs, -1)
  }

  private count(arrivedAtMs: number, change: 1 | -1): void {
    const left = (this.awaited.get(arrivedAtMs) ?? 0) + change
    if (left > 0) this.awaited.set(arrivedAtMs, left)
    else this.awaited.delete(arrivedAtMs)
  }
}
