import type { PoolStatus, ScaleStatus } from '@plimsoll/core/client'
import { zeroConsequence } from '../views/scale-text.js'
import { sanitize } from '../views/sanitize.js'
import { wrongInput } from '../wrong-input.js'
import type { ControlClient } from './control-client.js'
import type { ConnectionQuery } from './open-connection.js'
import { withClient } from './with-client.js'

const MOST_REPLICAS = 1_024

export interface ScaleWish {
  readonly pool: string
  /** As it was typed. */
  readonly replicas: string
  readonly group: string | undefined
  readonly yes: boolean
}

/** Asks before no node of a pool is left. Throws LB_ABORTED where the answer is no, LB_WRONG_INPUT where that is no number. */
export function scalePool(query: ConnectionQuery, { pool, replicas: typed, group, yes }: ScaleWish): Promise<ScaleStatus> {
  const replicas = replicasOf(typed)
  return withClient(query, async (client) => {
    const known = replicas === 0 && !yes ? await poolOf(client, pool) : undefined
    const consequence = known === undefined ? undefined : zeroConsequence(known, group)
    if (consequence !== undefined) await ask(consequence)
    return client.scale(pool, replicas, group)
  })
}

function replicasOf(typed: string): number {
  const replicas = /^\d{1,4}$/.test(typed) ? Number(typed) : Number.NaN
  if (replicas <= MOST_REPLICAS) return replicas
  throw wrongInput(`\`${typed}\` is no number of nodes`, `a whole number from 0 to ${MOST_REPLICAS}`)
}

/** Undefined for one that does not exist: the balancer says that best. */
async function poolOf(client: ControlClient, name: string): Promise<PoolStatus | undefined> {
  return (await client.status()).pools.find((pool) => pool.name === name)
}

async function ask(consequence: string): Promise<void> {
  const { confirm } = await import('./ask-person.js')
  await confirm(sanitize(consequence))
}
