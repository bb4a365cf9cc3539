import type { RolloutStatus, RolloutVerb } from '@plimsoll/core/client'
import { withClient } from './with-client.js'
import type { ConnectionQuery } from './open-connection.js'
import { watchRollout, type WatchedRollout } from './watch-rollout.js'

export interface DecideOptions {
  readonly verb: RolloutVerb
  readonly pool: string
  /** Leave out the question. */
  readonly yes: boolean
  /** To its end. */
  readonly wait: boolean
  /** Longest wait; undefined: as long as it takes. */
  readonly timeoutMs?: number | undefined
  /** Told when it was taken down, before it is waited for. */
  readonly onTaken: (status: RolloutStatus) => void
  readonly say: (text: string) => void
}

/** Carries out what a person decided about a rollout; what would put clients at risk asks first. Throws LB_ABORTED where the answer is no. */
export function decideRollout(
  query: ConnectionQuery,
  { verb, pool, yes, wait, timeoutMs, onTaken, say }: DecideOptions,
): Promise<Partial<WatchedRollout> & { status: RolloutStatus }> {
  return withClient(query, async (client) => {
    const asks = verb === 'promote' && !yes
    const before = asks || wait ? await client.rollout(pool) : undefined
    if (asks && before !== undefined) await askWhereWorse(before)
    const status = await client.actOnRollout(pool, verb)
    onTaken(status)
    return wait ? watchRollout(client, status, { say, timeoutMs, toldEvent: before?.events.at(-1) }) : { status }
  })
}

/** To go on in spite of the judge is the only decision that clients may suffer from. */
async function askWhereWorse(rollout: RolloutStatus): Promise<void> {
  if (rollout.endedAtMs !== null || rollout.judge?.verdict !== 'bad') return
  const { confirm } = await import('./ask-person.js')
  const { promoteText } = await import('../views/rollout-consequence.js')
  const { sanitize } = await import('../views/sanitize.js')
  await confirm(sanitize(promoteText(rollout)))
}
