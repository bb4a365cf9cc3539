import type { RequestRecord } from '../contracts/index.js'

/** The newest request records, in memory. */
export interface RecordRing {
  add(record: RequestRecord): void
  /** Newest first. */
  newest(limit: number): readonly RequestRecord[]
  /** The newest with this id. */
  find(id: string): RequestRecord | undefined
}

export function createRecordRing(capacity = 1_000): RecordRing {
  const records: RequestRecord[] = []
  let next = 0
  const inOrder = (): RequestRecord[] => [...records.slice(next), ...records.slice(0, next)]
  return {
    add(record) {
      records[next] = record
      next = (next + 1) % capacity
    },
    newest: (limit) => inOrder().slice(-limit).reverse(),
    find: (id) => inOrder().findLast((record) => record.id === id),
  }
}
