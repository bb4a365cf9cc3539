import type { BalancerStatus, PoolStatus } from '@plimsoll/core'
import type { ViewState } from './view-state.js'

/** Times in milliseconds. */
export interface Pace {
  readonly restMs: number
  readonly busyMs: number
  /** A balancer that takes longer than this to tell its status is shown as not answering. */
  readonly answerMs: number
  /** Changes closer together than this are drawn as one. */
  readonly settleMs: number
}

export const PACE: Pace = { restMs: 1000, busyMs: 500, answerMs: 3000, settleMs: 250 }

const MINUTE_MS = 60_000
const SECOND_MS = 1000

/** Whether the next look should come sooner. */
export function isBusy({ status, stopping }: ViewState): boolean {
  return stopping !== 'no' || (status !== undefined && (isTransient(status) || status.pools.some((pool) => pool.inFlight > 0)))
}

/** The time as coarse as what is shown of it: seconds while a node starts or a rollout runs, whose times are shown, else minutes. */
export function shownTime(epochMs: number, status?: BalancerStatus): number {
  const grain = status !== undefined && isTransient(status) ? SECOND_MS : MINUTE_MS
  return epochMs - (epochMs % grain)
}

function isTransient(status: BalancerStatus): boolean {
  const startsOrRolls = ({ nodes, rollout }: PoolStatus): boolean =>
    nodes.some((node) => ['starting', 'loading', 'warming'].includes(node.state)) || (rollout !== undefined && rollout.endedAtMs === null)
  return status.pools.some(startsOrRolls)
}
