import type { Face } from './dialect.js'

/** One try at one node. */
export interface AttemptRecord {
  readonly node: string
  /** Milliseconds after arrival. */
  readonly startedMs: number
  readonly outcome: 'answered' | 'connect-failed' | 'reset' | 'timeout' | 'refused' | 'cancelled' | 'cut'
  readonly reason?: string
}

export type RequestOutcome = 'ok' | 'client-error' | 'engine-error' | 'unavailable' | 'cut' | 'client-gone'

/** What happened to one request; never its text. Schema: docs/reference/request-record.md. Why, replay and drills read it. */
export interface RequestRecord {
  readonly v: 1
  readonly id: string
  readonly arrivedAtMs: number
  readonly face: Face | 'unknown'
  readonly pool: string | null
  readonly model: string | null
  readonly stream: boolean
  /** The node that answered, or the last one tried. */
  readonly node: string | null
  readonly attempts: readonly AttemptRecord[]
  readonly status: number
  readonly outcome: RequestOutcome
  readonly errorCode: string | null
  readonly bodyBytes: number
  readonly promptTokens: number
  readonly completionTokens: number
  readonly cachedTokens: number | null
  /** False while the counts are estimates because the engine gave no usage. */
  readonly tokensMeasured: boolean
  readonly ttftMs: number | null
  readonly totalMs: number
  /** Salted and chained, hexadecimal; 256-byte blocks to 16 KiB, then 2 KiB blocks; at most 512. */
  readonly prefixHashes: readonly string[]
}
