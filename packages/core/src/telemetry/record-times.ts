import type { AttemptRecord, RequestRecord } from '../contracts/index.js'

/** Milliseconds per output token after the first; null where it cannot be told: plain answers, cut ones, answers of one token. */
export function tpotMsOf(record: RequestRecord): number | null {
  if (!record.stream || record.outcome !== 'ok' || record.ttftMs === null || record.completionTokens < 2) return null
  return (record.totalMs - record.ttftMs) / (record.completionTokens - 1)
}

/** Milliseconds from the last attempt's start to the first token: the node's own share, without what earlier nodes wasted. */
export function nodeTtftMsOf(record: RequestRecord): number | null {
  return record.ttftMs === null ? null : Math.max(0, record.ttftMs - (record.attempts.at(-1)?.startedMs ?? 0))
}

/** True when the request failed for a reason that is not the client's. */
export function isFailure(record: RequestRecord): boolean {
  return record.outcome === 'engine-error' || record.outcome === 'unavailable' || record.outcome === 'cut'
}

/** True when this try at a node went wrong through the node. */
export function isFailedAttempt(record: RequestRecord, attempt: AttemptRecord): boolean {
  if (attempt.outcome === 'cancelled' || attempt.outcome === 'unsent') return false
  if (attempt.outcome !== 'answered') return true
  return attempt === record.attempts.at(-1) && isFailure(record)
}
