import { setTimeout as sleep } from 'node:timers/promises'
import { LbError, isLbError, type RolloutStatus } from '@plimsoll/core/client'
import { exitCodeOfPhase } from '../exit-codes.js'
import { isStanding, phaseText } from '../views/board/index.js'
import { duration } from '../views/units.js'
import type { ControlClient } from './control-client.js'

export interface FollowOptions {
  /** Told now and whenever it has changed. */
  readonly onStatus: (status: RolloutStatus) => void
  /** Told at each look, whether something has changed or not. */
  readonly onLook?: (status: RolloutStatus) => void
  /** Of a split or a shadow: do not wait for a person to end it. */
  readonly untilStanding?: boolean
  /** Told once when the balancer has fallen silent. */
  readonly onSilence?: (why: string) => void
  readonly lookEveryMs?: number
  /** A balancer that was killed is started again by its keeper, and goes on: so long is it waited for. */
  readonly silenceMs?: number
  /** So long where nobody would start it again: a look may fall between two of its lives. */
  readonly goneMs?: number
  /** Longer than this it is not waited for; default: as long as it takes. */
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal
}

/** Watches one rollout to its end, or until it stands. Throws what the balancer's silence means, or LB_ROLLOUT_GOES_ON where it takes longer than it may. */
export async function followRollout(
  client: Pick<ControlClient, 'rollouts'>,
  begun: RolloutStatus,
  options: FollowOptions,
): Promise<RolloutStatus> {
  const {
    onStatus,
    onLook,
    onSilence,
    untilStanding = false,
    lookEveryMs = 500,
    silenceMs = 60_000,
    goneMs = 3_000,
    timeoutMs,
    signal,
  } = options
  const beganMs = performance.now()
  let last = begun
  let silentSinceMs: number | undefined
  onStatus(begun)
  while (exitCodeOfPhase(last.phase) === undefined && !(untilStanding && stands(last))) {
    if (timeoutMs !== undefined && performance.now() - beganMs >= timeoutMs) throw late(last, timeoutMs)
    await sleep(Math.min(lookEveryMs, timeoutMs ?? lookEveryMs), undefined, signal === undefined ? {} : { signal })
    try {
      const status = found(await client.rollouts(), begun)
      if (essence(status) !== essence(last)) onStatus(status)
      last = status
      onLook?.(status)
      silentSinceMs = undefined
    } catch (error) {
      const nowMs = performance.now()
      if (!isSilence(error)) throw error
      if (nowMs - (silentSinceMs ?? nowMs) > (error.retry === 'never' ? goneMs : silenceMs)) throw error
      if (silentSinceMs === undefined) onSilence?.(error.message)
      silentSinceMs ??= nowMs
    }
  }
  return last
}

/** To the second: the end of a step is computed anew each time. */
function essence(status: RolloutStatus): string {
  return JSON.stringify({ ...status, stepEndsAtMs: status.stepEndsAtMs === null ? null : Math.round(status.stepEndsAtMs / 1000) })
}

/** Where it shall stay: a split at once, copies once they were found to be good enough. */
function stands(rollout: RolloutStatus): boolean {
  return isStanding(rollout) && (rollout.kind === 'split' || rollout.judge?.verdict === 'good')
}

function found(all: readonly RolloutStatus[], { id, pool }: RolloutStatus): RolloutStatus {
  const status = all.find((each) => each.id === id)
  if (status !== undefined) return status
  throw new LbError(`the balancer does not know the rollout ${id} any more`, {
    code: 'LB_NO_ROLLOUT',
    source: 'lb',
    hint: `lb rollout history ${pool} tells what became of it`,
  })
}

function late({ pool, phase }: RolloutStatus, timeoutMs: number): LbError {
  return new LbError(`the rollout of ${pool} is not over after ${duration(timeoutMs)} (${phaseText({ phase })}); it goes on`, {
    code: 'LB_ROLLOUT_GOES_ON',
    source: 'operator',
    hint: `lb rollout watch ${pool} looks on; lb rollout abort ${pool} takes it back`,
  })
}

function isSilence(error: unknown): error is LbError {
  return isLbError(error) && (error.code === 'LB_NOT_RUNNING' || error.code === 'LB_NO_ANSWER')
}
