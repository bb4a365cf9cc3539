import type { PoolStatus, ResidencyStatus } from '@plimsoll/core/client'
import { restConsequence } from '../views/scale-text.js'
import { sanitize } from '../views/sanitize.js'
import { wrongInput } from '../wrong-input.js'
import type { ConnectionQuery } from './open-connection.js'
import { withClient } from './with-client.js'

export interface UnloadWish {
  readonly pool: string | undefined
  /** Every pool that shares accelerators and is not at rest. */
  readonly all: boolean
  readonly yes: boolean
}

/** Asks where requests are in flight. Throws LB_ABORTED where the answer is no, LB_WRONG_INPUT where neither or both were said. */
export function unloadPools(query: ConnectionQuery, { pool, all, yes }: UnloadWish): Promise<readonly ResidencyStatus[]> {
  if ((pool === undefined) !== all)
    throw wrongInput(all ? 'a pool and --all contradict each other' : 'which pool?', 'lb unload POOL, or lb unload --all')
  return withClient(query, async (client) => {
    const pools = yes && pool !== undefined ? [] : (await client.status()).pools
    const names = pool === undefined ? pools.filter(isInMemory).map(({ name }) => name) : [pool]
    if (!yes) await askFor(pools.filter(({ name }) => names.includes(name)))
    const unloaded = await Promise.allSettled(names.map((name) => client.unload(name)))
    // One that cannot be unloaded keeps no other in memory.
    for (const each of unloaded) if (each.status === 'rejected') throw each.reason
    return unloaded.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
  })
}

function isInMemory({ residency }: PoolStatus): boolean {
  return residency !== undefined && residency.state !== 'resting'
}

async function askFor(pools: readonly PoolStatus[]): Promise<void> {
  const consequences = pools.flatMap((pool) => restConsequence(pool) ?? [])
  if (consequences.length === 0) return
  const { confirm } = await import('./ask-person.js')
  await confirm(sanitize(consequences.join('\n')))
}
