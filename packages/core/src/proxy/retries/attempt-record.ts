import type { AttemptRecord, RosterNode } from '../../contracts/index.js'
import type { Admitted } from '../admit.js'
import { isLate } from '../collect-rules.js'
import type { AttemptEnd } from '../forward.js'
import { didWork } from './effort.js'

export interface TriedNode {
  readonly node: RosterNode
  readonly startedAtMs: number
  /** Another try ran beside it. */
  readonly isHedged: boolean
}

/** While it is being put together. */
type Draft = { -readonly [Key in keyof AttemptRecord]: AttemptRecord[Key] }

/** What the request's record keeps of one try; `isBeaten`: another one was first. Takes the try as it is: an object made for each call, whose time was now a whole number and now not, cost V8 3 us. */
export function attemptRecord(
  { face, parting, arrivedMs }: Admitted,
  { node, startedAtMs, isHedged }: TriedNode,
  end: AttemptEnd,
  isBeaten: boolean,
): AttemptRecord {
  const { outcome, continues, collected, rest } = end
  const startedMs = Math.round(100 * (startedAtMs - arrivedMs)) / 100
  const record: Draft = { node: node.id, startedMs, outcome }
  const reason = isBeaten ? 'another node was first' : end.reason
  if (reason !== undefined) record.reason = reason
  const revision = parting?.revisionOf(node) ?? node.revision
  if (revision !== undefined) setRevision(record, revision, end)
  if (outcome === 'answered' && !isHedged && collected !== true && continues === undefined) return record
  if (continues !== undefined) record.continues = continues
  if (collected === true) record.collected = true
  if (outcome === 'cancelled' && (end.late ?? isLate(node, face, end))) record.late = true
  if (rest !== undefined) record.busy = true
  if (isBeaten || (outcome !== 'answered' && didWork(end))) record.inVain = true
  if (isHedged) record.hedge = true
  return record
}

/** What a judge of revisions wants to know of one try. */
function setRevision(record: Draft, revision: string, { status, watch }: AttemptEnd): void {
  record.revision = revision
  if (status !== undefined) record.status = status
  if (watch !== undefined) record.quality = watch.quality()
}
