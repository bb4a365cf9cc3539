import type { PoolChange, PoolPlan } from '../topology/index.js'
import { isAs } from './places.js'
import { endState, stateAt, withStage, type RolloutRecord } from './rollout-record.js'
import { isOver } from './rollout-status.js'

/** What becomes of a rollout that an earlier balancer was at. */
export type Resumption =
  /** It goes on from what it had made of the pool. */
  | { readonly is: 'resumed'; readonly applied: PoolChange }
  /** The last change was made, and only that was not written down. */
  | { readonly is: 'done' }
  /** What runs is no stage of it: the old revision takes everything again. */
  | { readonly is: 'reverted' }
  /** The pool was declared otherwise, or is gone. */
  | { readonly is: 'lost' }

/**
 * Whether a rollout can be gone on with: where what runs is the stage that was written down, or the one before it, for a balancer may end between writing down
 * what it will do and doing it.
 */
export function resumptionOf(record: RolloutRecord, runs: PoolPlan | undefined, declared: PoolPlan | undefined): Resumption {
  if (runs === undefined || declared === undefined) return { is: 'lost' }
  if (isOver(record)) return { is: 'done' }
  const applied = possible(record).find((state) => isAs(runs, state))
  if (applied !== undefined) return { is: 'resumed', applied }
  if (record.back === null && record.at >= 0 && isAs(runs, endState(record))) return { is: 'done' }
  // It runs as declared although something else was begun: whether the file or the disk said so, it is not ours any more.
  return isAs(runs, { groups: declared.groups }) ? { is: 'lost' } : { is: 'reverted' }
}

/** What it may have made of the pool by now. */
function possible(record: RolloutRecord): readonly PoolChange[] {
  const { at, back, first, phase } = record
  const stage = record.stages[at]
  const on = [stateAt(record, at), stateAt(record, at - 1)]
  if (stage === undefined) return [first]
  const dark = withStage(record, { ...stage, share: 0, shadowShare: 0 })
  const cleared = withStage(record, { ...stage, come: 0, share: 0 })
  // It may have been taken back in the moment in which it was made whole.
  const whole = at === record.stages.length - 1 ? [endState(record)] : []
  if (back !== null) return [first, cleared, ...on, dark, ...whole]
  return phase === 'asking' ? [dark, ...on] : [...on, dark]
}
