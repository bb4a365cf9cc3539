import type { AttemptRecord, RosterNode } from '../../contracts/index.js'
import type { Admitted } from '../admit.js'
import { isLate } from '../collect-rules.js'
import type { AttemptEnd } from '../forward.js'
import { didWork } from './effort.js'

const BUSY = { busy: true } as const
const COLLECTED = { collected: true } as const
const LATE = { late: true } as const
const IN_VAIN = { inVain: true } as const
const HEDGE = { hedge: true } as const

export interface TriedNode {
  readonly node: RosterNode
  /** After arrival. */
  readonly startedMs: number
  /** Another try ran beside it. */
  readonly isHedged: boolean
  /** Another try was first. */
  readonly isBeaten: boolean
}

/** What the request's record keeps of one try. */
export function attemptRecord(
  { face, parting }: Admitted,
  { node, startedMs, isHedged, isBeaten }: TriedNode,
  end: AttemptEnd,
): AttemptRecord {
  const { outcome, continues, collected, rest } = end
  const reason = isBeaten ? 'another node was first' : end.reason
  const told = reason === undefined ? { node: node.id, startedMs, outcome } : { node: node.id, startedMs, outcome, reason }
  const revision = parting?.revisionOf(node) ?? node.revision
  const record = revision === undefined ? told : { ...told, ...ofRevision(revision, end) }
  const late = outcome === 'cancelled' && (end.late ?? isLate(node, face, end))
  const inVain = isBeaten || (outcome !== 'answered' && didWork(end))
  if (outcome === 'answered' && !isHedged && collected !== true && continues === undefined) return record
  return {
    ...record,
    ...(continues === undefined ? {} : { continues }),
    ...(collected === true ? COLLECTED : {}),
    ...(late ? LATE : {}),
    ...(rest === undefined ? {} : BUSY),
    ...(inVain ? IN_VAIN : {}),
    ...(isHedged ? HEDGE : {}),
  }
}

/** What a judge of revisions wants to know of one try. */
function ofRevision(revision: string, { status, watch }: AttemptEnd): Pick<AttemptRecord, 'revision' | 'status' | 'quality'> {
  return { revision, ...(status === undefined ? {} : { status }), ...(watch === undefined ? {} : { quality: watch.quality() }) }
}
