import type { AnswerQuality, AttemptRecord, RequestRecord, ShadowPair } from '../../contracts/index.js'

/** What one node did with one request, as far as a judge compares it. */
export interface JudgeSample {
  readonly side: 'canary' | 'baseline'
  /** `pool/node`; null: nobody knows. */
  readonly node: string | null
  /** When its node was asked, and when the request ended; epoch, null: nobody knows. */
  readonly startedAtMs: number | null
  readonly endedAtMs: number | null
  /** No whole answer came of it, whether or not another node gave one later. */
  readonly failed: boolean
  /** The node said that the request is wrong (4xx): a mistake of the client, but both sides get as many of those. */
  readonly refused: boolean
  /** Absent: its text was not looked at. */
  readonly quality?: AnswerQuality
  /** From this node's being asked to the first content of a stream; null without one. */
  readonly ttftMs: number | null
  /** Prompt tokens that were in no cache, which the time to the first token depends on; null: nobody knows. */
  readonly computedTokens: number | null
  /** From token to token of a stream; null where there were too few to tell. */
  readonly tpotMs: number | null
  /** From this node's being asked to the end of an answer that came in one piece; null where there were too few tokens to tell. */
  readonly wholeMs: number | null
  /** Of a whole answer. */
  readonly completionTokens: number | null
}

/** `AttemptRecord.revision` of the two sides. */
export interface JudgedSides {
  /** Tries at nodes of no revision count here too: before the rollout there was only this one. */
  readonly old: string
  readonly new: string
}

/** Fewer say little about the pace: the first ones leave in one packet. */
const leastTokensForPace = 8
/** Where nobody knows what was in a cache: with so few tokens it hardly matters. */
const mostUnknownTokens = 128

/**
 * What a request says of the two sides: what came of the first try whose end says anything about its node, as nobody chose that node for how it answers. What
 * failed on the new side and was answered by the old one is a failure of the new side; the answer to what failed elsewhere would flatter whoever gave it.
 * What waited in line comes in a crowd with others that did, and has no times of its own. Clients that left and nodes that asked for a pause say nothing.
 */
export function samplesOf(record: RequestRecord, sides: JudgedSides): JudgeSample[] {
  for (const [index, attempt] of record.attempts.entries()) {
    const isLast = index === record.attempts.length - 1
    const end = endOf(attempt, record, isLast)
    if (end === undefined) continue
    const side = sideOf(attempt, sides)
    if (side === undefined) return []
    const isWhole = end === 'answered' && isLast && record.outcome === 'ok'
    const isTimed = isWhole && record.inLineMs === 0
    return [
      {
        side,
        node: attempt.node,
        startedAtMs: record.arrivedAtMs + attempt.startedMs,
        endedAtMs: record.arrivedAtMs + record.totalMs,
        failed: end === 'failed',
        refused: end === 'refused',
        ...(attempt.quality === undefined ? {} : { quality: attempt.quality }),
        ...(isTimed ? timesOf(record, attempt) : noTimes),
        completionTokens: isWhole ? tokensOf(record) : null,
      },
    ]
  }
  return []
}

/** What a request and its copy say: both were asked the same. The copy's cache is colder, and nobody knows how much, so that first tokens are not compared. */
export function samplesOfPair({ main, copy }: ShadowPair): JudgeSample[] {
  if (main.failure !== null && main.status === 0) return []
  return (['baseline', 'canary'] as const).map((side) => {
    const { node, failure, status, completionTokens, quality, totalMs, ttftMs } = side === 'canary' ? copy : main
    const whole = failure === null && status < 400
    return {
      side,
      node,
      startedAtMs: null,
      endedAtMs: null,
      failed: failure !== null || status >= 500,
      refused: failure === null && isRefusal(status),
      ...(quality === null ? {} : { quality }),
      ttftMs: whole ? ttftMs : null,
      computedTokens: null,
      tpotMs: whole ? paceOf(totalMs, ttftMs, completionTokens) : null,
      wholeMs: null,
      completionTokens: whole ? completionTokens : null,
    }
  })
}

function sideOf({ revision }: AttemptRecord, sides: JudgedSides): JudgeSample['side'] | undefined {
  if (revision === sides.new) return 'canary'
  return revision === undefined || revision === sides.old ? 'baseline' : undefined
}

/** Undefined: it says nothing of the node. An answer whose text was looked at came whole, even where lb then asked another node. */
function endOf(attempt: AttemptRecord, record: RequestRecord, isLast: boolean): 'answered' | 'refused' | 'failed' | undefined {
  const { outcome, quality, leg, busy } = attempt
  if (outcome === 'cancelled' || outcome === 'unsent' || leg === 'prefill' || busy === true) return undefined
  if (quality !== undefined) return 'answered'
  if (outcome !== 'answered' && outcome !== 'refused') return 'failed'
  const status = attempt.status ?? (isLast && record.errorCode === null ? record.status : undefined)
  if (status !== undefined && isRefusal(status)) return 'refused'
  if (status === 429 || (isLast && (record.outcome === 'client-error' || record.outcome === 'client-gone'))) return undefined
  if (outcome === 'refused') return 'failed'
  return isLast && record.outcome !== 'ok' ? 'failed' : 'answered'
}

/** 499 is that of a client that left. */
function isRefusal(status: number): boolean {
  return status >= 400 && status < 499 && status !== 429
}

type Times = Pick<JudgeSample, 'ttftMs' | 'computedTokens' | 'tpotMs' | 'wholeMs'>
const noTimes: Times = { ttftMs: null, computedTokens: null, tpotMs: null, wholeMs: null }

function timesOf(record: RequestRecord, { startedMs }: AttemptRecord): Times {
  const tokens = tokensOf(record)
  return {
    ttftMs: record.ttftMs === null ? null : Math.max(0, record.ttftMs - startedMs),
    computedTokens: computedOf(record),
    tpotMs: paceOf(record.totalMs, record.ttftMs, tokens),
    wholeMs: record.stream || tokens === null || tokens < leastTokensForPace ? null : record.totalMs - startedMs,
  }
}

function tokensOf({ tokensMeasured, completionTokens }: RequestRecord): number | null {
  return tokensMeasured ? completionTokens : null
}

/** By the engine, else as lb believed when it sent the request. */
function computedOf({ promptTokens, cachedTokens, believed }: RequestRecord): number | null {
  const cached = cachedTokens ?? believed?.cachedTokens
  if (cached === undefined) return promptTokens <= mostUnknownTokens ? promptTokens : null
  return Math.max(0, promptTokens - cached)
}

function paceOf(totalMs: number, ttftMs: number | null, tokens: number | null): number | null {
  if (ttftMs === null || tokens === null || tokens < leastTokensForPace) return null
  return Math.max(0, totalMs - ttftMs) / (tokens - 1)
}
