import { LbError, type RolloutStatus } from '@plimsoll/core/client'
import { exitCodeOfPhase } from '../exit-codes.js'
import type { ControlClient } from './control-client.js'
import { followRollout } from './follow-rollout.js'

export interface WatchRolloutOptions {
  /** Each new thing that happened, as a line for people. */
  readonly say: (text: string) => void
  /** The whole status whenever it changed. */
  readonly onStatus?: (status: RolloutStatus) => void
}

export interface WatchedRollout {
  readonly status: RolloutStatus
  /** 0 promoted or standing, 3 rolled back, 4 aborted, 1 failed. */
  readonly exitCode: number
}

/** Watches a rollout to its end and says on the way what happens. An interrupt leaves the rollout running. */
export async function watchRollout(
  client: ControlClient,
  begun: RolloutStatus,
  { say, onStatus }: WatchRolloutOptions,
): Promise<WatchedRollout> {
  const life = new AbortController()
  const interrupt = (): void => life.abort()
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
  const { rolloutEventText } = await import('../views/rollout-event-text.js')
  let told = 0
  let asked = false
  const tell = (status: RolloutStatus): void => {
    for (const event of status.events.slice(told)) say(rolloutEventText(event))
    told = status.events.length
    if (status.phase === 'asking' && !asked)
      say(`It waits for you: lb rollout promote ${status.pool} goes on, lb rollout abort ${status.pool} takes it back.`)
    asked = status.phase === 'asking'
    onStatus?.(status)
  }
  try {
    const status = await followRollout(client, begun, {
      onStatus: tell,
      onSilence: (why) => say(`${why}; waiting for it`),
      signal: life.signal,
    })
    return { status, exitCode: exitCodeOfPhase(status.phase) ?? 0 }
  } catch (error) {
    if (!life.signal.aborted) throw error
    throw interrupted(begun.pool, error)
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
  }
}

function interrupted(pool: string, cause: unknown): LbError {
  return new LbError('interrupted; the rollout goes on', {
    code: 'LB_INTERRUPTED',
    source: 'operator',
    hint: `lb rollout watch ${pool} looks on; lb rollout abort ${pool} takes it back`,
    cause,
  })
}
