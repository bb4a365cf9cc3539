import type { RequestRecord } from '../../contracts/index.js'
import type { WorkSample } from '../../health/index.js'

/** How long an answered request took at the node that answered it; undefined where that cannot be told. */
export function workSampleOf(record: RequestRecord, kin: string): WorkSample | undefined {
  const { node, attempts, outcome, face, stream, ttftMs, totalMs, inLineMs, promptTokens, completionTokens, cachedTokens } = record
  const last = attempts.at(-1)
  if (outcome !== 'ok' || node === null || last?.node !== node || last.outcome !== 'answered' || last.continues !== undefined)
    return undefined
  // Sound is counted by other measures.
  if (face === 'openai-transcriptions' || promptTokens <= 0) return undefined
  const sentMs = Math.max(last.startedMs, attempts.length === 1 ? inLineMs : 0)
  const isTold = stream && ttftMs !== null
  return {
    node,
    kin,
    promptTokens,
    cachedTokens: cachedTokens ?? undefined,
    firstTokenMs: isTold ? Math.max(0, ttftMs - sentMs) : undefined,
    answerTokens: completionTokens,
    totalMs: Math.max(0, totalMs - sentMs),
  }
}
