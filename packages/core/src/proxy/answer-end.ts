import type { Lease, LeaseEnd } from '../contracts/index.js'
import type { ResponseHead, UpstreamCall } from '../wire/index.js'
import type { BodyReader } from './body-reader.js'
import type { BrokenEnd } from './break-off.js'
import type { AttemptEnd } from './forward.js'
import { leaseOutcomeOf } from './outcome-of.js'

/** What an answer says of its end. */
export type AnswerEnd = Pick<
  AttemptEnd,
  'outcome' | 'reason' | 'verdict' | 'movable' | 'rest' | 'passOn' | 'resumption' | 'isWhole' | 'isLost' | 'isDoubted'
> &
  Pick<BrokenEnd, 'counted'>

/** What has come of it until then. */
export interface AnswerSoFar extends Pick<AttemptEnd, 'said' | 'firstContentAtMs'> {
  readonly call: UpstreamCall | undefined
  readonly head: ResponseHead | undefined
  readonly reader: BodyReader | undefined
  readonly isNonsense: boolean
}

export function attemptEnd(end: AnswerEnd, soFar: AnswerSoFar, { believedCachedTokens }: Pick<Lease, 'believedCachedTokens'>): AttemptEnd {
  const { call, head, reader, said, isNonsense, firstContentAtMs } = soFar
  const { outcome } = end
  return {
    outcome,
    reason: end.reason,
    verdict: end.verdict,
    movable: end.movable,
    rest: end.rest,
    passOn: end.passOn,
    retryAfter: outcome === 'refused' ? head?.headers['retry-after'] : undefined,
    resumption: end.resumption,
    isWhole: end.isWhole === true,
    isLost: end.isLost === true,
    contentEvents: reader?.stream?.contentEvents ?? 0,
    believedCachedTokens,
    deliveredBytes: reader?.stream?.ledger?.byteLength,
    isSent: call?.isSent === true,
    said,
    isNonsense,
    status: head?.status,
    usage: reader?.usage ?? end.counted,
    isDoubted: end.isDoubted,
    watch: isJudged(end) && reader?.stream?.hasError !== true ? reader?.watch : undefined,
    firstContentAtMs,
  }
}

export function leaseOutcome(end: AnswerEnd): LeaseEnd['outcome'] {
  return isJudged(end) ? 'answered' : leaseOutcomeOf(end.outcome)
}

/** There is an answer, whether it counts or not. */
function isJudged({ outcome, isDoubted }: AnswerEnd): boolean {
  return outcome === 'answered' || isDoubted === true
}
