import type { PoolStatus, ResidencyStatus, ScaleStatus } from '@plimsoll/core/client'
import { restConsequence, zeroConsequence } from '../views/scale-text.js'
import { sanitize } from '../views/sanitize.js'
import type { ControlClient } from './control-client.js'
import type { ConnectionQuery } from './open-connection.js'
import { withClient } from './with-client.js'

export interface ScaleWish {
  readonly pool: string
  readonly replicas: number
  readonly group: string | undefined
  readonly yes: boolean
}

/** Asks before no node of a pool is left. Throws LB_ABORTED where the answer is no. */
export function scalePool(query: ConnectionQuery, { pool, replicas, group, yes }: ScaleWish): Promise<ScaleStatus> {
  return withClient(query, async (client) => {
    const known = replicas === 0 && !yes ? await poolOf(client, pool) : undefined
    const consequence = known === undefined ? undefined : zeroConsequence(known, group)
    if (consequence !== undefined) await ask(consequence)
    return client.scale(pool, replicas, group)
  })
}

/** Asks where requests are in flight. Throws LB_ABORTED where the answer is no. */
export function unloadPool(
  query: ConnectionQuery,
  { pool, yes }: { readonly pool: string; readonly yes: boolean },
): Promise<ResidencyStatus> {
  return withClient(query, async (client) => {
    const known = yes ? undefined : await poolOf(client, pool)
    const consequence = known === undefined ? undefined : restConsequence(known)
    if (consequence !== undefined) await ask(consequence)
    return client.unload(pool)
  })
}

/** Undefined for one that does not exist: the balancer says that best. */
async function poolOf(client: ControlClient, name: string): Promise<PoolStatus | undefined> {
  return (await client.status()).pools.find((pool) => pool.name === name)
}

async function ask(consequence: string): Promise<void> {
  const { confirm } = await import('./ask-person.js')
  await confirm(sanitize(consequence))
}
