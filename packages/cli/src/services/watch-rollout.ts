import { LbError, type RolloutStatus } from '@plimsoll/core/client'
import { exitCodeOfPhase } from '../exit-codes.js'
import type { ControlClient } from './control-client.js'
import { followRollout } from './follow-rollout.js'

/** Where nothing happens for so long, how far it is is said again. */
const SAY_EVERY_MS = 10_000

export interface WatchRolloutOptions {
  /** Each new thing that happened, as a line for people. */
  readonly say: (text: string) => void
  /** A split or a shadow need not be ended; default: true. */
  readonly untilStanding?: boolean
  /** The whole status whenever it changed. */
  readonly onStatus?: (status: RolloutStatus) => void
  /** At each look, changed or not; with why the balancer does not answer, where it does not. */
  readonly onLook?: (status: RolloutStatus, silence?: string) => void
  readonly timeoutMs?: number | undefined
  /** Up to this one everything was told before; default: nothing was. */
  readonly toldEvent?: RolloutStatus['events'][number] | undefined
}

export interface WatchedRollout {
  readonly status: RolloutStatus
  /** 0 promoted or standing, 3 rolled back, 4 aborted, 1 failed. */
  readonly exitCode: number
}

/** Watches a rollout to its end and says on the way what happens. An interrupt, or the end of the time, leaves the rollout running. */
export async function watchRollout(
  client: ControlClient,
  begun: RolloutStatus,
  { say, onStatus, onLook, untilStanding = true, timeoutMs, toldEvent }: WatchRolloutOptions,
): Promise<WatchedRollout> {
  const life = new AbortController()
  const interrupt = (): void => life.abort()
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
  const { rolloutEventText, rolloutProgressText } = await import('../views/rollout-event-text.js')
  let told = toldEvent
  let asked = false
  let saidMs = performance.now()
  const speak = (text: string): void => {
    saidMs = performance.now()
    say(text)
  }
  let last = begun
  const look = (status: RolloutStatus): void => {
    last = status
    onLook?.(status)
    if (performance.now() - saidMs >= SAY_EVERY_MS) speak(rolloutProgressText(status, Date.now()))
  }
  const tell = (status: RolloutStatus): void => {
    for (const event of eventsAfter(told, status)) speak(rolloutEventText(event))
    told = status.events.at(-1)
    if (status.phase === 'asking' && !asked)
      speak(`It waits for you: lb rollout promote ${status.pool} goes on, lb rollout abort ${status.pool} takes it back.`)
    asked = status.phase === 'asking'
    onStatus?.(status)
    onLook?.(status)
  }
  try {
    const status = await followRollout(client, begun, {
      onStatus: tell,
      onLook: look,
      onSilence(why) {
        say(`${why}; waiting for it`)
        onLook?.(last, why)
      },
      untilStanding,
      timeoutMs,
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

/** By the last one that was told: only the newest are kept, so that numbers would not do. */
function eventsAfter(told: RolloutStatus['events'][number] | undefined, { events }: RolloutStatus): RolloutStatus['events'] {
  const at = events.findLastIndex(({ atMs, message }) => atMs === told?.atMs && message === told.message)
  return events.slice(at + 1)
}

function interrupted(pool: string, cause: unknown): LbError {
  return new LbError('interrupted; the rollout goes on', {
    code: 'LB_INTERRUPTED',
    source: 'operator',
    hint: `lb rollout watch ${pool} looks on; lb rollout abort ${pool} takes it back`,
    cause,
  })
}
