import type { AttemptRecord, RequestRecord } from '../contracts/index.js'

/** One request as it ended; one that failed was answered by the old revision. */
export function settledRecord(attempt: AttemptRecord, more: Partial<RequestRecord> = {}): RequestRecord {
  const failed = attempt.outcome !== 'answered'
  return {
    v: 1,
    id: 'x',
    arrivedAtMs: 0,
    face: 'openai-chat',
    pool: 'demo',
    model: 'm',
    stream: true,
    node: attempt.node,
    attempts: failed ? [attempt, { node: 'demo/gpu-0', startedMs: 1, outcome: 'answered', revision: 'r1' }] : [attempt],
    status: 200,
    outcome: 'ok',
    errorCode: null,
    bodyBytes: 100,
    promptTokens: 100,
    completionTokens: 20,
    cachedTokens: 0,
    inLineMs: 0,
    tokensMeasured: true,
    ttftMs: 100,
    totalMs: 500,
    prefixHashes: new Float64Array(0),
    ...more,
  }
}
