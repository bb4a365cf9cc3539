import type { Decision, RequestRecord } from '../contracts/index.js'
import { recordJson, type RecordJson } from '../dialects/index.js'

/** How one request found its node, and what became of it. */
export interface Why {
  /** The `x-request-id` of the answer. */
  readonly id: string
  /** Null while it runs, or where it is too old to be remembered. */
  readonly record: RequestRecord | null
  /** In order; empty where the request was not traced. */
  readonly decisions: readonly Decision[]
}

/** As it crosses the control socket; what `lb why --json` prints. */
export interface WhyJson {
  /** The `x-request-id` of the answer. */
  readonly id: string
  /** The request's record; null while it runs. */
  readonly record: RecordJson | null
  /** In order; empty where the request was not traced. */
  readonly decisions: readonly Decision[]
}

export function whyJson({ id, record, decisions }: Why): WhyJson {
  return { id, record: record === null ? null : recordJson(record), decisions }
}
