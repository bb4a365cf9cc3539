import type { RequestRecord } from '../contracts/index.js'

/** The newest request records, in memory. */
export interface RecordRing {
  add(record: RequestRecord): void
  /** Newest first. */
  newest(limit: number): readonly RequestRecord[]
}

export function createRecordRing(capacity = 1_000): RecordRing {
  const records: RequestRecord[] = []
  let next = 0
  return {
    add(record) {
      records[next] = record
      next = (next + 1) % capacity
    },
    newest(limit) {
      const ordered = [...records.slice(next), ...records.slice(0, next)]
      return ordered.slice(-limit).reverse()
    },
  }
}
