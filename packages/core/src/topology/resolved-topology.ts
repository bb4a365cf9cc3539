import { LbError, messageOf } from '../errors/index.js'
import { deepFreeze } from './deep-freeze.js'
import { listOf, recordOf } from './key-path.js'
import type { Topology } from './topology.js'

/** True for what `resolveTopology` has made (also after a trip through JSON), false for an input. */
export function isResolvedTopology(value: unknown): value is Topology {
  const { version, name, gateway, pools } = recordOf(value)
  return (
    version === 1 &&
    typeof name === 'string' &&
    Array.isArray(recordOf(gateway)['listen']) &&
    Array.isArray(pools) &&
    pools.every(isPoolPlan)
  )
}

/** True for the shape of a pool as `resolveTopology` makes it. */
function isPoolPlan(value: unknown): boolean {
  const { name, models, groups } = recordOf(value)
  return typeof name === 'string' && listOf(models).length > 0 && listOf(groups).length > 0
}

/** Reads back a resolved topology that this program wrote; looks at its shape only, so no ajv is loaded. Throws LB_TOPOLOGY_UNREADABLE. */
export function parseResolvedTopology(json: string): Topology {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (error) {
    throw unreadable(messageOf(error))
  }
  if (!isResolvedTopology(value)) throw unreadable('it is no resolved topology of version 1')
  return deepFreeze(value)
}

function unreadable(why: string): LbError {
  return new LbError(`the resolved topology cannot be read: ${why}`, {
    code: 'LB_TOPOLOGY_UNREADABLE',
    source: 'lb',
    hint: 'lb down, then lb up writes it anew',
  })
}
