import type { PoolChange, PoolPlan } from '../topology/index.js'
import { isDeclared } from './places.js'
import type { Resumption } from './resume.js'
import type { RolloutRecord } from './rollout-record.js'

/** What is told of a rollout that an earlier balancer was at, for people. */
export function takenUpInWords({ is }: Resumption, { id, at, stages, phase }: RolloutRecord): string {
  if (is === 'resumed')
    return `${id} resumes where the last balancer was: ${at < 0 ? phase : `${phase}, stage ${at + 1} of ${stages.length}`}`
  if (is === 'reverted') return `${id} reverts: what runs is not what was written down of it`
  return is === 'done' ? `${id} was at its end` : `${id} is over: the pool was declared otherwise, and runs as declared`
}

/** The end of one that is not gone on with. */
export function endOf({ is }: Resumption, record: RolloutRecord, nowMs: number): Pick<RolloutRecord, 'phase' | 'reason' | 'endedAtMs'> {
  const endedAtMs = record.endedAtMs ?? nowMs
  if (is === 'lost') return { phase: 'aborted', reason: 'the pool was declared otherwise: it runs as declared', endedAtMs }
  if (record.endedAtMs === null) return { phase: 'promoted', reason: 'it was at its end when lb ended', endedAtMs }
  return { phase: record.phase, reason: record.reason, endedAtMs }
}

/** One that takes everything back, with what it makes of the pool for that; `change` undefined: as declared. */
export function revertOf(
  record: RolloutRecord,
  declared: PoolPlan | undefined,
): { readonly record: RolloutRecord; readonly change: PoolChange | undefined } {
  const { first } = record
  const reason = 'lb ended in the middle of a change'
  const back = { outcome: 'rolled-back', step: 'restoring' } as const
  return {
    record: { ...record, phase: 'rolling-back', reason, back },
    change: declared !== undefined && isDeclared(first, declared) ? undefined : first,
  }
}
